// Says in lines what one core does, event after event: the event itself, then what followed from it in the words of the
// paper, each with the state after. Used by the writer of a trace and by its replay alike, so that the two can be compared
// line by line. It reads the core and changes nothing.
import { lastTerm } from '../../core/log-trail.js'
import type { CoreEvent, CoreState, LogIndex, Output, RoleChange, Term } from '../../core/index.js'
import type { CoreStart } from '../../node/internals.js'
import { encodeEntry, encodeEvent, encodeRestored } from './event-codec.js'
import type { StateView, StepBody } from './format.js'
import { hashOf } from './hash.js'

/** What is compared between two steps. */
interface Before {
  readonly currentTerm: Term
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly baseIndex: LogIndex
  readonly preVoteRound: number
  readonly configuration: unknown
}

/** Names of the lines that an event of the core begins with. */
const EVENT_STEPS: Readonly<Record<Exclude<CoreEvent['type'], 'tick'>, string>> = Object.freeze({
  receive: 'receive',
  propose: 'propose',
  persisted: 'persist',
  applied: 'apply',
  read: 'read',
  replicas: 'replicas',
  peerStatus: 'peerStatus',
  outboundDropped: 'outboundDropped',
  snapshotTaken: 'snapshotTaken',
  snapshotUnsent: 'snapshotUnsent',
  snapshotWritten: 'snapshotWritten',
  snapshotReceived: 'snapshotReceived',
  snapshotInstalled: 'snapshotInstalled',
  transfer: 'transfer',
  changeMembership: 'changeMembership',
  cancelChange: 'cancelChange',
  found: 'found',
  reconfigure: 'reconfigure',
})

/** One incarnation of one core. */
export class StepDescriber {
  #before: Before | null = null
  #output: Output | null = null
  #entryCount = 0
  #roleCount = 0
  #state: StateView | null = null

  /** After the last step; null before the first. */
  get state(): StateView | null {
    return this.#state
  }

  /** Whether the last event was stepped with this Output. */
  hasLast(output: Output): boolean {
    return this.#output === output
  }

  /** The core was made. */
  init(start: CoreStart, state: CoreState): readonly StepBody[] {
    const view = this.#view(state)
    const { options, restored, now } = start
    const digest = hashOf(start, state)
    const bodies: StepBody[] = [{ step: 'init', options, restored: encodeRestored(restored), now, digest, state: view }]
    if (state.log.configurations.length > 0) bodies.push(configurationBody(state, view))
    this.#remember(state)
    return bodies
  }

  /** @param output - the one that `event` was stepped with; the same object as last time when it joined that one */
  step(event: CoreEvent, output: Output, state: CoreState): readonly StepBody[] {
    const joins = this.hasLast(output)
    if (!joins) {
      this.#output = output
      this.#entryCount = 0
      this.#roleCount = 0
    }
    const before = this.#before as Before
    const view = this.#view(state)
    const roles = output.roles.slice(this.#roleCount)
    const digest = hashOf(event, output, state)
    const isTimeout = event.type === 'tick' && (roles.length > 0 || state.preVoteRound > before.preVoteRound)
    const step = event.type === 'tick' ? (isTimeout ? 'timeout' : 'tick') : EVENT_STEPS[event.type]
    const bodies: StepBody[] = [{ step, event: encodeEvent(event), joins, digest, state: view }]
    for (const { role, ...change } of rolesOf(before, roles, state)) {
      bodies.push({ step: `become${role.charAt(0).toUpperCase()}${role.slice(1)}`, ...change, state: view })
    }
    const entries = output.append?.entries.slice(this.#entryCount) ?? []
    const first = entries[0]?.index ?? 0
    if (first > 0) {
      const truncatesFrom = first <= before.lastIndex ? first : null
      bodies.push({ step: 'append', truncatesFrom, entries: entries.map(encodeEntry), state: view })
    }
    if (state.commitIndex > before.commitIndex) {
      bodies.push({ step: 'commit', first: before.commitIndex + 1, last: state.commitIndex, state: view })
    }
    if (state.log.baseIndex > before.baseIndex) {
      bodies.push({ step: 'compact', first: before.baseIndex + 1, last: state.log.baseIndex, state: view })
    }
    if (state.log.configurations.at(-1) !== before.configuration) bodies.push(configurationBody(state, view))
    this.#remember(state)
    return bodies
  }

  #remember(state: CoreState): void {
    const { currentTerm, commitIndex, preVoteRound, log } = state
    const configuration = log.configurations.at(-1)
    const { lastIndex, baseIndex } = log
    this.#before = { currentTerm, lastIndex, commitIndex, baseIndex, preVoteRound, configuration }
    this.#entryCount = this.#output?.append?.entries.length ?? 0
    this.#roleCount = this.#output?.roles.length ?? 0
  }

  #view(state: CoreState): StateView {
    const { currentTerm, votedFor, role, leaderId, commitIndex, lastApplied, log, persistedHardState, quorum } = state
    const peers = [...state.progress].map(([id, { nextIndex, matchIndex }]) => [id, { nextIndex, matchIndex }] as const)
    this.#state = {
      currentTerm,
      votedFor,
      role,
      leaderId,
      commitIndex,
      lastApplied,
      lastIndex: log.lastIndex,
      lastTerm: lastTerm(log),
      persisted: { ...persistedHardState, index: state.persistedIndex },
      voters: quorum.incoming.slice(),
      votersOutgoing: quorum.outgoing.slice(),
      grants: [...state.grants],
      preVotes: role === 'preCandidate' ? [...state.votes] : [],
      peers: Object.fromEntries(peers),
    }
    return this.#state
  }
}

/** The changes of role of one step, those too that the driver is not told of because the name stays the same. */
function rolesOf(
  before: Before,
  told: readonly RoleChange[],
  { role, currentTerm, preVoteRound }: CoreState,
): readonly RoleChange[] {
  if (told.length > 0) return told
  if (preVoteRound > before.preVoteRound) {
    return [{ role: 'preCandidate', previous: role, term: currentTerm, reason: 'election timeout' }]
  }
  if (currentTerm === before.currentTerm) return told
  return [{ role: 'follower', previous: role, term: currentTerm, reason: 'saw a later term' }]
}

function configurationBody({ log }: CoreState, view: StateView): StepBody {
  const held = log.configurations.at(-1)
  return { step: 'configuration', index: held?.index ?? 0, configuration: held?.configuration ?? null, state: view }
}
