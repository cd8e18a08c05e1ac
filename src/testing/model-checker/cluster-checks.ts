// The invariants over all nodes, checked after each step for what the step changed, and the history that they need.
import { hasQuorum } from '../../core/quorum.js'
import type { Term } from '../../core/types.js'
import { quorumSets } from './configurations.js'
import type { CommittedEntry, History } from './history.js'
import type { Broken, Invariant } from './invariants.js'
import { nodeId } from './model.js'
import type { Packet } from './packet.js'
import { LEASED_READ } from './node-run.js'
import type { NodeFacts, Tables, Transition } from './tables.js'

/** What a step did beside moving one node. */
export interface StepDone {
  /** Position of the node that stepped. */
  readonly node: number
  readonly transition: Transition
  readonly isCrash: boolean
  /** A change of the membership was asked for. */
  readonly isChange: boolean
  /** Id of a read that was asked; 0 for none. */
  readonly read: number
}

/** Thrown where an invariant over all nodes is broken. */
class Violation extends Error {
  readonly broken: Broken

  constructor(invariant: Invariant, detail: string) {
    super(detail)
    this.broken = { invariant, detail }
  }
}

export class ClusterChecks {
  readonly #tables: Tables
  readonly #ignores: readonly Invariant[]
  /** By pair of logs: the index up to which they must agree and don't; 0 where all is well. */
  readonly #mismatches = new Map<string, number>()

  constructor(tables: Tables, ignores: readonly Invariant[] = []) {
    this.#tables = tables
    this.#ignores = ignores
  }

  /**
   * The history after a step that led to `nodes`, by number.
   * @param nodes - number of the state of each node, after the step
   * @param packets - what was in the network before it
   */
  after(nodes: readonly number[], history: number, step: StepDone, packets: readonly number[]): number | Broken {
    const { transition } = step
    if (transition.broken !== null) return transition.broken
    const facts = nodes.map((node) => this.#tables.nodes[node] as NodeFacts)
    try {
      return this.#checked(facts, history, step, packets)
    } catch (error) {
      if (error instanceof Violation) return error.broken
      throw error
    }
  }

  #checked(facts: readonly NodeFacts[], number: number, step: StepDone, packets: readonly number[]): number {
    const before = this.#tables.histories[number] as History
    const stepped = facts[step.node] as NodeFacts
    const leaders = leadersAfter(before, stepped, step.node)
    const committed = committedAfter(before, stepped, step)
    const asked = askedAfter(before, step)
    if (stepped.isCandidate) this.#checkPreVotes(stepped, step.node, packets)
    for (const other of facts) if (other.log !== stepped.log) this.#checkMatching(other, stepped)
    for (const leader of facts) checkCompleteness(leader, committed)
    this.#checkQuorum(facts, committed)
    const crashes = before.crashes + (step.isCrash ? 1 : 0)
    const changes = before.changes + (step.isChange ? 1 : 0)
    const isSame =
      leaders === before.leaders &&
      committed === before.committed &&
      asked === before.asked &&
      crashes === before.crashes &&
      changes === before.changes
    return isSame ? number : this.#tables.history({ crashes, changes, leaders, committed, asked })
  }

  /** What was ever committed is in the durable logs of the quorum that committed it, in every state. */
  #checkQuorum(facts: readonly NodeFacts[], committed: readonly CommittedEntry[]): void {
    const invariant = 'committed is durable on a quorum'
    if (this.#ignores.includes(invariant)) return
    committed.forEach(({ term, incoming, outgoing }, at) => {
      let holders = 0
      facts.forEach(({ durableTerms }, node) => {
        if (durableTerms[at] === term) holders |= 1 << node
      })
      if (isMajority(incoming, holders) && isMajority(outgoing, holders)) return
      const count = `${sizeOf(holders)} of ${facts.length}`
      throw new Violation(invariant, `entry ${at + 1} of term ${term} is committed, and durable on ${count}`)
    })
  }

  /** Two logs with an entry of the same index and term agree on everything before it. */
  #checkMatching(one: NodeFacts, other: NodeFacts): void {
    const pair = `${one.log} ${other.log}`
    let mismatch = this.#mismatches.get(pair)
    if (mismatch === undefined) {
      mismatch = mismatchOf(one.terms, other.terms)
      this.#mismatches.set(pair, mismatch)
    }
    if (mismatch === 0) return
    const detail = `[${one.terms.join(' ')}] and [${other.terms.join(' ')}] differ at ${mismatch} and agree behind it`
    throw new Violation('log matching', detail)
  }

  /** Whoever campaigns was granted the pre-vote by a quorum. Says nothing where pre-votes don't travel. */
  #checkPreVotes(candidate: NodeFacts, node: number, packets: readonly number[]): void {
    if (!this.#tables.hasPreVotes || candidate.state.core.persistedHardState.currentTerm === candidate.term) return
    // Whoever was told to campaign by its leader asks nobody first.
    const isTold = ({ to, message }: Packet): boolean => to === node && message.type === 'timeoutNow'
    if (packets.some((number) => isTold(this.#tables.packets[number] as Packet))) return
    const granted = new Set([nodeId(node)])
    for (const number of packets) {
      const packet = this.#tables.packets[number]
      if (packet?.message.type !== 'preVoteResponse' || packet.to !== node) continue
      if (packet.message.voteGranted && packet.message.term === candidate.term) granted.add(nodeId(packet.from))
    }
    if (hasQuorum(candidate.state.core.quorum, granted)) return
    const detail = `${nodeId(node)} campaigns in term ${candidate.term}, and ${granted.size} would vote for it`
    throw new Violation('a candidate asked a quorum first', detail)
  }
}

function leadersAfter({ leaders }: History, { isLeader, term }: NodeFacts, node: number): History['leaders'] {
  if (!isLeader || leaders[term - 1] === node) return leaders
  const earlier = leaders[term - 1] ?? -1
  if (earlier >= 0) {
    throw new Violation('election safety', `${nodeId(node)} and ${nodeId(earlier)} both led term ${term}`)
  }
  const all = leaders.slice()
  while (all.length < term) all.push(-1)
  all[term - 1] = node
  return all
}

function committedAfter({ committed }: History, facts: NodeFacts, step: StepDone): History['committed'] {
  const { commitIndex, terms } = facts
  const { commits } = step.transition
  for (let at = 0; at < Math.min(commitIndex, committed.length); at++) {
    if (committed[at]?.term === terms[at]) continue
    const detail = `${nodeId(step.node)} commits entry ${at + 1} of term ${terms[at]}, which is of term ${committed[at]?.term}`
    throw new Violation('state machine safety', detail)
  }
  if (commitIndex <= committed.length) return committed
  const all = committed.slice()
  for (let at = committed.length; at < commitIndex; at++) {
    const quorum = commits.find(({ index }) => index > at)?.quorum ?? facts.state.core.quorum
    all.push({ term: terms[at] as Term, inTerm: facts.term, ...quorumSets(quorum) })
  }
  return all
}

/** The leader of a term holds everything that was committed in an earlier one. */
function checkCompleteness({ isLeader, term, terms, state }: NodeFacts, committed: readonly CommittedEntry[]): void {
  if (!isLeader) return
  committed.forEach((entry, at) => {
    if (entry.inTerm >= term || terms[at] === entry.term) return
    const detail = `${nodeId(state.node)} leads term ${term} without entry ${at + 1} of term ${entry.term}, committed in term ${entry.inTerm}`
    throw new Violation('leader completeness', detail)
  })
}

function askedAfter({ asked, committed }: History, { read, transition }: StepDone): History['asked'] {
  if (read === 0 && transition.reads.length === 0) return asked
  const after = asked.slice()
  if (read > 0) after.push(committed.length)
  for (const outcome of transition.reads) {
    const isAtOnce = outcome.id === LEASED_READ
    const mustSee = isAtOnce ? committed.length : (after[outcome.id - 1] ?? -1)
    if (outcome.type === 'ready' && outcome.readIndex < mustSee) {
      const detail = `read ${outcome.id} is answered with ${outcome.readIndex}, and ${mustSee} was committed when it was asked`
      throw new Violation('reads are linearizable', detail)
    }
    if (!isAtOnce) after[outcome.id - 1] = -1
  }
  return after
}

/** The first index at which two logs differ before one at which they agree; 0 for none. */
export function mismatchOf(one: readonly Term[], other: readonly Term[]): number {
  let first = 0
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const agrees = one[at] === other[at]
    if (!agrees && first === 0) first = at + 1
    if (agrees && first > 0) return first
  }
  return 0
}

/** Whether more than half of the set of voters is among the holders; of nobody, nobody is enough. */
function isMajority(voters: number, holders: number): boolean {
  return voters === 0 || 2 * sizeOf(voters & holders) > sizeOf(voters)
}

function sizeOf(set: number): number {
  let size = 0
  for (let left = set; left !== 0; left &= left - 1) size += 1
  return size
}
