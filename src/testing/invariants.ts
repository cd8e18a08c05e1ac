// What must hold for the cluster as a whole, after each event (assurance §1, figure 3): one leader a term, one committed
// log, durable on a quorum, applied once and in order with one result. The first violation is kept; nothing is changed.
import { findMember } from '../core/configuration.js'
import { isDeepStrictEqual } from 'node:util'
import type { Configuration, LogIndex, NodeId, Term } from '../core/types.js'
import type { ApplyContext } from '../interfaces/state-machine.js'
import type { Check, Violation } from './checks.js'
import { CommittedLog, type JudgedEntry } from './committed-log.js'
import { ConfigurationJudge, describe, isQuorumOf } from './configuration-judge.js'
import type { HeldStore } from './held-store.js'
import { SnapshotJudge } from './snapshot-judge.js'
import type { Timeline } from './timeline.js'
import type { VirtualDisk } from './virtual-disk.js'

/** What a state machine made of the entry at an index. */
interface AppliedResult {
  readonly result: unknown
  readonly by: NodeId
}

/** What a leader of `currentTerm` counts `peer` for: the entry of `term` at `index` and all before. */
export interface Counted {
  readonly by: NodeId
  readonly currentTerm: Term
  readonly peer: NodeId
  readonly index: LogIndex
  readonly term: Term
}

/** The judge of one simulation. */
export class Invariants {
  readonly committed: CommittedLog = new CommittedLog()
  readonly snapshots: SnapshotJudge = new SnapshotJudge(this)
  readonly configurations: ConfigurationJudge = new ConfigurationJudge(this)
  /** Rises with each event of the timeline. */
  eventNumber = 0
  readonly #timeline: Timeline
  readonly #disks: ReadonlyMap<NodeId, VirtualDisk>
  readonly #leaders = new Map<Term, NodeId>()
  /** Node and term → candidate, of every vote that was ever sent. */
  readonly #votes = new Map<string, NodeId>()
  readonly #results = new Map<LogIndex, AppliedResult>()
  #violation: Violation | null = null
  #leaderChanges = 0
  #latestTerm: Term = 0

  /** @param disks - of all nodes, those that come later too */
  constructor(timeline: Timeline, disks: ReadonlyMap<NodeId, VirtualDisk>) {
    this.#timeline = timeline
    this.#disks = disks
  }

  /** The first thing that went wrong, in words. */
  get violation(): string | null {
    return this.#violation?.problem ?? null
  }

  /** Which check found it. */
  get violatedCheck(): Check | null {
    return this.#violation?.check ?? null
  }

  get leaderChanges(): number {
    return this.#leaderChanges
  }

  /** The leader of the latest term that had one. */
  get latestLeader(): NodeId | null {
    return this.#leaders.get(this.#latestTerm) ?? null
  }

  fail(check: Check, problem: string): void {
    this.#violation ??= { check, problem }
  }

  /** A node began to lead a term (election safety). */
  leads(id: NodeId, term: Term): void {
    const other = this.#leaders.get(term)
    if (other !== undefined && other !== id)
      this.fail('election-safety', `${other} and ${id} both lead term ${term} (election safety)`)
    if (other === undefined) this.#leaderChanges += 1
    this.#leaders.set(term, id)
    this.#latestTerm = Math.max(this.#latestTerm, term)
  }

  /** A leader was elected by voters of its configuration, who voted durably (§5.2, H4, H41). */
  isElected(id: NodeId, term: Term, configuration: Configuration): void {
    if (isQuorumOf(configuration, (voter) => this.#storeOf(configuration, voter)?.voteIn(term) === id)) return
    const voters = [...this.#disks].filter(([, disk]) => disk.voteIn(term) === id).map(([voter]) => voter)
    const problem = `${id}: it leads term ${term} with the votes of ${voters.join(',')}, no quorum of ${describe(configuration)}`
    this.fail('elected-by-quorum', `${problem} (H4, H41)`)
  }

  /** A node told somebody whom it votes for: one vote a term, whatever crashes lie between (H2, H111). */
  votes(id: NodeId, term: Term, candidate: NodeId): void {
    // A node that was added again with another store is another voter (F25).
    const key = `${id} ${this.#disks.get(id)?.stores.length ?? 1} ${term}`
    const other = this.#votes.get(key)
    if (other !== undefined && other !== candidate)
      this.fail('one-vote-a-term', `${id} voted for ${other} and for ${candidate} in term ${term} (H2)`)
    this.#votes.set(key, candidate)
  }

  /**
   * A node holds an entry committed. At first sight a quorum must hold it durably: a crash of all may follow.
   * @param configuration - in force there; a majority of all disks counts where none is known
   */
  commits(id: NodeId, judged: JudgedEntry, currentTerm: Term, configuration: Configuration | null = null): void {
    const verdict = this.committed.committed(judged, { currentTerm, nowMs: this.#timeline.nowMs })
    if ('problem' in verdict) return this.fail(verdict.check, `${id}: ${verdict.problem}`)
    if (!verdict.isNew) return
    const { index, term, timestamp } = judged.entry
    if (timestamp < (this.committed.at(index - 1)?.entry.timestamp ?? 0))
      this.fail('log-time', `log time falls at entry ${index} (F34)`)
    const disks = [...this.#disks].filter(([, disk]) => this.durableTerm(disk, index) === term)
    const holders = new Set(disks.map(([holder]) => holder))
    const isHeld =
      configuration === null
        ? holders.size > this.#disks.size / 2
        : isQuorumOf(configuration, (voter) => {
            const store = this.#storeOf(configuration, voter)
            return store !== undefined && this.durableTerm(store, index) === term
          })
    if (isHeld) return
    const due = configuration === null ? `${this.#disks.size}` : describe(configuration)
    this.fail(
      'committed-is-durable',
      `${id}: entry ${index} of term ${term} is committed, but durable on ${holders.size} of ${due} (H27)`,
    )
  }

  /** Term of the entry at `index` that is durable there. What the log forgot was committed, and is in a snapshot. */
  durableTerm(store: HeldStore, index: LogIndex): Term | undefined {
    return (index <= store.baseIndex ? this.committed.at(index)?.entry : store.entryAt(index))?.term
  }

  /** The store that the configuration means by that name: an answer that it gave before it was lost counts (H19). */
  #storeOf(configuration: Configuration, id: NodeId): HeldStore | undefined {
    return this.#disks.get(id)?.storeOf(findMember(configuration, id)?.storeId)
  }

  /** A leader moved its matchIndex. Who knows a later term may have dropped the entry since, and tells the leader so. */
  counts({ by, currentTerm, peer, index, term }: Counted): void {
    const stores = this.#disks.get(peer)?.stores ?? []
    if (stores.some(({ hardState }) => hardState.currentTerm > currentTerm)) return
    const durable = stores.map((store) => this.durableTerm(store, index))
    if (stores.length === 0 || durable.includes(term)) return
    const held = durable[0] ?? 'none'
    const problem = `${by} counts ${peer} for entry ${index} of term ${term}, where one of term ${held} is durable (H24)`
    this.fail('counted-is-durable', problem)
  }

  /** Before a state machine applies: only what is committed, each entry once, in order, none left out. */
  applies(id: NodeId, lastApplied: LogIndex, { index, term }: ApplyContext): void {
    if (index <= lastApplied) return this.fail('applied-in-order', `${id}: applied ${index} after ${lastApplied}`)
    if (this.committed.at(index)?.entry.term !== term) {
      return this.fail('applied-is-committed', `${id}: applied entry ${index} of term ${term}, which is not committed`)
    }
    // What a crash could take back must not be seen by anybody who reads from this node.
    const disk = this.#disks.get(id)
    if (disk === undefined || this.durableTerm(disk, index) !== term) {
      return this.fail(
        'applied-is-durable',
        `${id}: applied entry ${index} of term ${term} before it was durable there`,
      )
    }
    for (let skipped = lastApplied + 1; skipped < index; skipped++) {
      if (this.committed.at(skipped)?.entry.type === 'command')
        this.fail('applied-in-order', `${id}: did not apply the command at ${skipped}`)
    }
  }

  /** After it: the same entry has the same result everywhere, and after each restart. */
  applied(id: NodeId, index: LogIndex, result: unknown): void {
    const first = this.#results.get(index)
    if (first === undefined) this.#results.set(index, { result, by: id })
    else if (!isDeepStrictEqual(first.result, result)) {
      this.fail(
        'same-results',
        `the command at ${index} gave another result on ${id} than on ${first.by}: the state machines differ`,
      )
    }
  }

  /** The result of the command at `index`; undefined where none was applied yet. */
  resultAt(index: LogIndex): AppliedResult | undefined {
    return this.#results.get(index)
  }

  /** Result of the last command at or below `index`; undefined where there is none. */
  lastResultUpTo(index: LogIndex): AppliedResult | undefined {
    for (let at = index; at > 0; at--) {
      const held = this.#results.get(at)
      if (held !== undefined) return held
    }
    return undefined
  }
}
