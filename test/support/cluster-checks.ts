// What must hold across nodes, whatever happens to the network, the disks and the processes (figure 3, and the promises
// of messages). Fed by the harness with each step; throws with the rule's name at the first step that breaks one.
import type { LogEntry, Message, NodeId, Output, Quorum, Term } from 'helios-raft/core'
import { freshness, hasQuorum, quorumOf } from 'helios-raft/core'
import { type SimulatedNode, text } from './core-node.js'

/** A rule of figure 3, or a promise of a message, was broken. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation'
}

export class ClusterChecks {
  readonly #leaders = new Map<Term, NodeId>()
  readonly #votes = new Map<string, NodeId>()
  /** By "index:term": what stands there and before it. By induction over it, logs match. */
  readonly #entries = new Map<string, { readonly previousTerm: Term; readonly data: string }>()
  /** By index: term of the committed entry and when it was first known to be committed. */
  readonly committed = new Map<number, { readonly term: Term; readonly at: number }>()
  committedIndex = 0
  readonly #nodes: ReadonlyMap<NodeId, SimulatedNode>
  readonly #now: () => number

  constructor(nodes: ReadonlyMap<NodeId, SimulatedNode>, now: () => number) {
    this.#nodes = nodes
    this.#now = now
  }

  /** After an Output was taken over, before its messages leave. */
  onOutput(node: SimulatedNode, output: Output): void {
    for (const entry of output.append?.entries ?? []) this.#checkEntry(node, entry)
    if (output.roles.some((change) => change.role === 'leader')) this.#checkLeader(node)
    if (output.commitIndex !== undefined) this.#checkCommit(node, output.commitIndex, quorumBefore(node, output))
  }

  /** When a message leaves: its promise must already be on the disk. */
  onSend(node: SimulatedNode, to: NodeId, message: Message): void {
    if (message.type === 'preVote' || message.type === 'preVoteResponse') return
    const { hardState, log, baseIndex } = node.durable
    const place = `${message.type} of ${node.id} to ${to}`
    demand(hardState.currentTerm >= message.term, `durable term: ${place} speaks of term ${message.term}`)
    if (message.type === 'requestVote') {
      demand(hardState.currentTerm > message.term || hardState.votedFor === node.id, `durable own vote: ${place}`)
    } else if (message.type === 'requestVoteResponse' && message.voteGranted) {
      demand(hardState.currentTerm > message.term || hardState.votedFor === to, `durable vote: ${place}`)
      this.#checkVote(node.id, message.term, to)
    } else if (message.type === 'appendEntriesResponse' && message.outcome === 'success') {
      demand(
        baseIndex + log.length >= message.index || message.term < hardState.currentTerm,
        `durable entries: ${place}`,
      )
    } else if (message.type === 'installSnapshotResponse' && message.outcome === 'installed') {
      demand(baseIndex + log.length >= message.index, `durable snapshot: ${place}`)
    }
  }

  /** A linearizable read may not miss what was committed before it was asked (F19). */
  checkRead(node: SimulatedNode, readIndex: number, committedAtAsking: number): void {
    demand(
      readIndex >= committedAtAsking,
      `linearizable read: ${node.id} got ${readIndex}, missing ${committedAtAsking}`,
    )
  }

  /** A node that says how old its state is must not miss anything older (F21). Only for clocks of one rate. */
  checkFreshness(): void {
    for (const node of this.#nodes.values()) {
      if (!node.isUp) continue
      const age = freshness(node.state, node.clock)
      const missed = this.committed.get(node.state.lastApplied + 1)
      const missedAt = missed?.at ?? Number.POSITIVE_INFINITY
      demand(missedAt >= this.#now() - age, `freshness: ${node.id} says ${age} ms and misses what is older`)
    }
  }

  /** Every entry that was ever committed is in the logs of a quorum, in memory or on disk. */
  checkNothingLost(): void {
    const up = [...this.#nodes.values()].filter((node) => node.isUp)
    const [newest] = up.sort((one, other) => other.state.commitIndex - one.state.commitIndex)
    if (newest === undefined) return
    for (const [index, { term }] of this.committed) {
      const holders = this.#holdersOf(index, term)
      const place = `committed entry ${index} of term ${term} is on the disks of ${[...holders].join(', ')}`
      demand(hasQuorum(newest.state.quorum, holders), place)
    }
  }

  #checkEntry(node: SimulatedNode, entry: LogEntry): void {
    const previousTerm = node.entry(entry.index - 1)?.term ?? node.durable.baseTerm
    const found = { previousTerm, data: `${entry.type} ${text(entry.data)} ${entry.timestamp}` }
    const key = `${entry.index}:${entry.term}`
    const known = this.#entries.get(key)
    if (known === undefined) this.#entries.set(key, found)
    else demand(known.data === found.data && known.previousTerm === previousTerm, `log matching: ${key} on ${node.id}`)
  }

  #checkLeader(node: SimulatedNode): void {
    const { currentTerm } = node.state
    const earlier = this.#leaders.get(currentTerm)
    demand(earlier === undefined, `election safety: ${earlier} and ${node.id} lead term ${currentTerm}`)
    this.#leaders.set(currentTerm, node.id)
    for (const [index, { term }] of this.committed) {
      // What it compacted was compared when it was committed there.
      if (index <= node.durable.baseIndex) continue
      demand(node.entry(index)?.term === term, `leader completeness: ${node.id} leads without ${index}:${term}`)
    }
  }

  #checkCommit(node: SimulatedNode, commitIndex: number, quorum: Quorum): void {
    for (let index = this.committedIndex + 1; index <= commitIndex; index++) {
      const term = node.entry(index)?.term
      if (term === undefined) continue
      const holders = this.#holdersOf(index, term)
      const place = `commit: entry ${index} is durable on ${[...holders].join(', ')} only`
      demand(hasQuorum(quorum, holders), place)
      this.committed.set(index, { term, at: this.#now() })
    }
    this.committedIndex = Math.max(this.committedIndex, commitIndex)
    const known = this.committed.get(commitIndex)
    const held = commitIndex === node.durable.baseIndex ? node.durable.baseTerm : node.entry(commitIndex)?.term
    demand(
      known === undefined || known.term === held,
      `state machine safety: ${node.id} commits ${commitIndex}:${held}`,
    )
  }

  #holdersOf(index: number, term: Term): ReadonlySet<NodeId> {
    const nodes = [...this.#nodes.values()]
    return new Set(nodes.filter((node) => holdsDurably(node, index, term)).map((node) => node.id))
  }

  #checkVote(voter: NodeId, term: Term, candidate: NodeId): void {
    const key = `${voter} in ${term}`
    const earlier = this.#votes.get(key)
    demand(earlier === undefined || earlier === candidate, `one vote a term: ${key} for ${earlier} and ${candidate}`)
    this.#votes.set(key, candidate)
  }
}

/** In its log, or in a snapshot. */
function holdsDurably(node: SimulatedNode, index: number, term: Term): boolean {
  return index <= node.durable.baseIndex || durableEntry(node, index)?.term === term
}

function durableEntry(node: SimulatedNode, index: number): LogEntry | undefined {
  return node.durable.log[index - node.durable.baseIndex - 1]
}

/** What was in force when the commit was counted: a configuration that the same Output appends came behind it. */
function quorumBefore(node: SimulatedNode, { append }: Output): Quorum {
  const first = append?.entries[0]?.index ?? Number.POSITIVE_INFINITY
  const held = node.state.log.configurations.findLast(({ index }) => index < first)
  return quorumOf(held?.configuration ?? null)
}

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new SafetyViolation(message)
}
