// How often what happened in a run (assurance §1, coverage): each bucket is a named point, or a step of a core by role,
// event, message, outcome and state of the progress. A swarm whose runs miss a bucket proves nothing about what is in it.
import { type CoreEvent, type CoreState, type Message, type Output, termAt } from '../core/index.js'
import type { Role, Term } from '../core/types.js'

/** Counters by name; a name is words with dots between. */
export class Coverage {
  readonly #counters = new Map<string, { count: number }>()

  count(bucket: string): void {
    const held = this.#counters.get(bucket)
    if (held === undefined) this.#counters.set(bucket, { count: 1 })
    else held.count += 1
  }

  /** Sum over all buckets whose name begins with `prefix`. */
  sumOf(prefix: string): number {
    let sum = 0
    for (const [name, { count }] of this.#counters) if (name.startsWith(prefix)) sum += count
    return sum
  }

  /** All buckets that were hit, sorted by name. */
  toRecord(): Readonly<Record<string, number>> {
    const counts = [...this.#counters].map(([name, { count }]) => [name, count] as const)
    return Object.fromEntries(counts.sort(([one], [other]) => (one < other ? -1 : 1)))
  }
}

/** What of the state before a step is compared with the one after it. */
interface Before {
  readonly role: Role
  readonly currentTerm: Term
  readonly commitIndex: number
  readonly lastIndex: number
  readonly epoch: number
  readonly now: number
  readonly configurationIndex: number
  readonly isJoint: boolean
}

/** Counts the steps of one incarnation of a core. */
export class StepCoverage {
  readonly #coverage: Coverage
  #electionTimeoutMs: number
  #before: Before | null = null

  constructor(coverage: Coverage, electionTimeoutMs: number) {
    this.#coverage = coverage
    this.#electionTimeoutMs = electionTimeoutMs
  }

  /** After each step; without an event when the core was made. */
  observe(state: CoreState, event: CoreEvent | null, output: Output | null): void {
    const before = this.#before
    if (before === null || event === null) {
      this.#coverage.count(state.log.lastIndex > 0 ? 'restore.withLog' : 'restore.empty')
    } else {
      this.#coverage.count(stepBucket(before.role, state, event))
      this.#countChanges(before, state)
      this.#countPoints(before, state, event)
      this.#countConfigurations(before, state)
      if (output !== null) this.#countAnswers(output)
    }
    const { role, currentTerm, commitIndex, log, epoch, now } = state
    const held = { configurationIndex: configurationIndexOf(state), isJoint: state.quorum.outgoing.length > 0 }
    this.#before = { role, currentTerm, commitIndex, lastIndex: log.lastIndex, epoch, now, ...held }
  }

  #countChanges(before: Before, state: CoreState): void {
    const { role, currentTerm, commitIndex, log } = state
    if (role !== before.role) this.#coverage.count(`become.${before.role}.${role}`)
    if (before.role === 'leader' && role !== 'leader' && currentTerm === before.currentTerm)
      this.#coverage.count('point.checkQuorum.stepsDown')
    if (role === 'leader' && before.role !== 'leader') {
      this.#coverage.count(commitIndex < before.lastIndex ? 'point.elected.withUncommitted' : 'point.elected.clean')
    }
    if (state.epoch !== before.epoch) this.#coverage.count(`point.truncated.${role}`)
    if (role !== 'leader' || commitIndex === before.commitIndex) return
    const isOld = termAt(log, before.commitIndex + 1) !== currentTerm
    this.#coverage.count(isOld ? 'point.commit.carriesEarlierTerms' : 'point.commit.ownTerm')
    if (commitIndex > state.persistedIndex) this.#coverage.count('point.commit.beforeOwnDisk')
  }

  #countPoints(before: Before, state: CoreState, event: CoreEvent): void {
    if (event.now - before.now > this.#electionTimeoutMs) this.#coverage.count(`point.stalled.${before.role}`)
    if (event.type === 'reconfigure') this.#electionTimeoutMs = event.electionTimeoutMs
    if (event.type === 'persisted' && event.index > 0 && event.epoch !== state.epoch)
      this.#coverage.count('point.persisted.ofOverwritten')
    if (event.type === 'receive' && event.message.term < before.currentTerm)
      this.#coverage.count(`point.earlierTerm.${event.message.type}`)
    if (event.type === 'receive' && event.message.term > before.currentTerm)
      this.#coverage.count(`point.laterTerm.${before.role}.${event.message.type}`)
  }

  /** A joint configuration is reached, and left by its leader or by a later one; a configuration is rolled back (§6). */
  #countConfigurations(before: Before, state: CoreState): void {
    const index = configurationIndexOf(state)
    if (index < before.configurationIndex) this.#coverage.count('point.truncated.configuration')
    const isJoint = state.quorum.outgoing.length > 0
    if (isJoint && !before.isJoint) this.#coverage.count(`point.joint.${state.role}`)
    if (!before.isJoint || isJoint || state.role !== 'leader' || index < before.configurationIndex) return
    const isOfAnother = termAt(state.log, before.configurationIndex) !== state.currentTerm
    this.#coverage.count(isOfAnother ? 'point.joint.leftByAnother' : 'point.joint.left')
  }

  /** Steps of a batch share an Output: only what came last is looked at. */
  #countAnswers({ reads, results, messagesAfterPersist }: Output): void {
    const read = reads.at(-1)
    if (read !== undefined) this.#coverage.count(`read.${read.type}`)
    if (read?.type === 'ready' && read.isByOwnLease === true) this.#coverage.count('point.readByLease')
    const result = results.at(-1)
    if (result?.type === 'refused') this.#coverage.count(`result.refused.${result.refusal}`)
    else if (result !== undefined) this.#coverage.count(`result.${result.type}`)
    const answer = messagesAfterPersist.at(-1)?.message
    if (answer !== undefined && answer.type !== 'appendRange') this.#coverage.count(`afterPersist.${answer.type}`)
  }
}

function configurationIndexOf({ log }: CoreState): number {
  return log.configurations.at(-1)?.index ?? -1
}

/** A message with what it says, as far as a bucket tells it apart. */
export function messageBucket(message: Message): string {
  switch (message.type) {
    case 'preVoteResponse':
    case 'requestVoteResponse':
      return `${message.type}.${message.voteGranted ? 'granted' : 'refused'}`
    case 'appendEntries':
      return message.entries.length > 0 ? 'appendEntries.entries' : 'appendEntries.empty'
    case 'appendEntriesResponse':
      return `${message.type}.${message.outcome}`
    case 'heartbeatResponse':
      return message.index < 0 ? 'heartbeatResponse.unknownPrev' : 'heartbeatResponse.success'
    case 'proposeResponse':
      return `${message.type}.${message.refusal ?? 'accepted'}`
    case 'membershipResponse':
      return `${message.type}.${message.outcome}`
    case 'readIndexResponse':
      return message.readIndex < 0 ? 'readIndexResponse.notLeader' : 'readIndexResponse.confirmed'
    default:
      return message.type
  }
}

function stepBucket(role: Role, state: CoreState, event: CoreEvent): string {
  if (event.type === 'peerStatus') return `step.${role}.peerStatus.${event.status}`
  if (event.type !== 'receive') return `step.${role}.${event.type}`
  const progress = state.progress.get(event.from)
  const suffix = progress === undefined || role !== 'leader' ? '' : `.${progress.state}`
  return `step.${role}.${messageBucket(event.message)}${suffix}`
}
