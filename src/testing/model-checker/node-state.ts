// One node of the cluster as the checker keeps it: the whole state of its RaftCore and its disk. A node state is never
// changed once it stands in the table: what steps is a clone.
import type { Envelope } from '../../core/messages.js'
import type { Progress } from '../../core/progress.js'
import type { CoreState } from '../../core/state.js'
import type { HardState, Member, NodeId } from '../../core/types.js'
import type { Disk, PendingWrite } from './disk.js'
import { nodeNumber } from './model.js'
import { configurationsText } from './configurations.js'
import { messageText } from './packet.js'
import { snapshotText, termsHeld } from './snapshots.js'

export interface NodeState {
  /** Position of the node. */
  readonly node: number
  /** Of the incarnation; always 1 in models without reads, where nothing depends on it. */
  readonly boot: number
  readonly core: CoreState
  readonly disk: Disk
}

/** Where each node goes; the identity changes nothing. */
export type Permutation = readonly number[]

/** A state that shares nothing that ever changes with the original. */
export function cloneCore(state: CoreState): CoreState {
  const { log } = state
  return {
    ...state,
    log: { ...log, runs: log.runs.slice(), configurations: log.configurations.slice() },
    votes: new Set(state.votes),
    grants: new Set(state.grants),
    progress: cloneProgress(state.progress),
    forwardOrigins: new Map(
      [...state.forwardOrigins].map(([id, origin]) => [id, { ...origin, answers: new Map(origin.answers) }]),
    ),
    reads: state.reads.map((read) => ({ ...read })),
    forwardedReads: new Map(state.forwardedReads),
    changeOrigins: new Map(state.changeOrigins),
    stores: new Map(state.stores),
  }
}

function cloneProgress(progress: ReadonlyMap<NodeId, Progress>): Map<NodeId, Progress> {
  const clone = new Map<NodeId, Progress>()
  for (const [id, held] of progress) clone.set(id, { ...held, inflight: held.inflight.slice() })
  return clone
}

/** By this text two states of nodes are the same; with a permutation, by that of the renamed state. */
export function nodeText({ node, boot, core, disk }: NodeState, permutation: Permutation): string {
  const name = (id: NodeId | null): string => (id === null ? '-' : String(permutation[nodeNumber(id)]))
  const names = (ids: Iterable<NodeId>): string => [...ids].map(name).sort().join('')
  const { currentTerm, votedFor, commitIndex, lastApplied, role, leaderId, persistedIndex, epoch } = core
  const hardState = (held: HardState): string => `${held.currentTerm}${name(held.votedFor)}`
  const parts = [
    `${permutation[node]}.${boot}`,
    `${role} ${currentTerm}${name(votedFor)} ${name(leaderId)} ${core.leaderContactAt > 0 ? 'led' : ''}`,
    `${core.log.baseIndex} ${termsHeld(core, disk).join(',')} ${configurationsText(core.log.configurations, name)} ${commitIndex} ${lastApplied}`,
    `${hardState(core.persistedHardState)} ${persistedIndex} ${epoch}`,
    `${names(core.votes)}|${names(core.grants)}`,
    `${core.termFirstIndex} ${core.ledTerm} ${core.forgottenTerm}`,
    [...core.progress]
      .map(([id, held]) => `${name(id)}${progressText(held)}`)
      .sort()
      .join(';'),
    `${core.readRound} ${[...core.forwardedReads.keys()].join(',')}`,
    core.reads
      .map(({ id, origin, boot: of, round, readIndex }) => `${id}${name(origin)}${of}.${round}.${readIndex}`)
      .join(),
    `${disk.isWiped ? 'wiped ' : ''}${hardState(disk.hardState)} ${disk.terms.join(',')} ${configurationsText(disk.configurations, name)}`,
    leadingText(core, name),
    leasesText(core, disk, name),
    snapshotsText(core, disk, name),
    writeText(disk.running, name),
    writeText(disk.next, name),
  ]
  return parts.join('/')
}

function progressText({ state, nextIndex, matchIndex, inflight, probeSent, ...rest }: Progress): string {
  const { confirmedRound, awaitsCommit, toldCommit, addedAt, transfer, transferIndex } = rest
  const sent = `${state} ${nextIndex} ${matchIndex} ${inflight.join(',')} ${probeSent}`
  return `${sent} ${confirmedRound} ${awaitsCommit} ${toldCommit} ${addedAt} ${transfer}.${transferIndex}`
}

/** Empty where there is no snapshot anywhere. */
function snapshotsText(core: CoreState, disk: Disk, name: (id: NodeId | null) => string): string {
  const { snapshotIndex, compactableIndex, installing, lastTransfer } = core
  if (disk.snapshot === null && installing === null && lastTransfer === 0) return ''
  const parts = [disk.snapshot, disk.installing].map((each) => (each === null ? '' : snapshotText(each, name)))
  const { from = null, term = 0, addedAt = 0, transfer = 0 } = installing?.source ?? {}
  const source = `${name(from)}${term}.${addedAt}.${transfer}`
  const isCommitted = disk.installing !== null && disk.installing === disk.snapshot
  return `${disk.baseIndex} ${snapshotIndex} ${compactableIndex} ${lastTransfer} ${parts.join('|')} ${isCommitted} ${source}`
}

/** The clock and the promises, as far as they hold; empty where there are no leases. */
function leasesText(core: CoreState, disk: Disk, name: (id: NodeId | null) => string): string {
  const { now, leaseWantedUntil, leasePromiseMs, persistedLeasePromiseMs, promisedUntil, promisedTerm } = core
  if (leaseWantedUntil === Number.NEGATIVE_INFINITY) return ''
  const held = [...core.progress].map(([id, progress]) => `${name(id)}${progress.promisedUntil}`).sort()
  const own = `${held.join(' ')} ${core.leaseNotBefore} ${core.hasEndedLease}`
  const promised = `${leasePromiseMs} ${persistedLeasePromiseMs} ${disk.leasePromiseMs}`
  return `${now} ${promised} ${promisedUntil} ${promisedTerm}|${own}`
}

/** A transfer and a change of the membership that are under way. */
function leadingText(core: CoreState, name: (id: NodeId | null) => string): string {
  const { transfer, change, settledIndex, departingSince, founding } = core
  const handed = transfer === null ? '' : `${transfer.id}${name(transfer.to)}${transfer.toldAt === null ? '' : ' told'}`
  if (settledIndex === -1 && change === null && founding === null) return handed
  return `${handed}|${founding === null ? '' : 'founding'}|${changeText(change, name)}|${settledIndex} ${departingSince === null ? '' : 'departing'}`
}

function changeText(change: CoreState['change'], name: (id: NodeId | null) => string): string {
  if (change === null) return ''
  const { phase, asked, wanted, catchUps } = change
  const rounds = catchUps.map(({ id, round, upTo }) => `${name(id)}${round}.${upTo}`).sort()
  const namesOf = (members: readonly Member[]): string =>
    members
      .map(({ id }) => name(id))
      .sort()
      .join('')
  return `${phase} ${namesOf(asked.members)} ${namesOf(wanted)} ${rounds.join()}`
}

function writeText(write: PendingWrite | null, name: (id: NodeId | null) => string): string {
  if (write === null) return ''
  const { hardState, first, terms, configurations, epoch, waiting, leasePromiseMs } = write
  const promised = leasePromiseMs === undefined ? '' : `promise ${leasePromiseMs} `
  const vote = hardState === null ? '' : `${hardState.currentTerm}${name(hardState.votedFor)}`
  return `${promised}${vote} ${first}:${terms.join(',')} ${configurationsText(configurations, name)} ${epoch} ${waiting
    .map((held) => envelopeText(held, name))
    .sort()
    .join('+')}`
}

function envelopeText({ to, message }: Envelope, name: (id: NodeId | null) => string): string {
  // A range never waits: it is sent by a leader, whose term is durable.
  return `${name(to)} ${message.type === 'appendRange' ? JSON.stringify(message) : messageText(message, name)}`
}
