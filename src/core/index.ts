// `helios-raft/core`: the protocol by itself, for model checkers, simulators and drivers of one's own.
export { InvariantViolation } from './assert.js'
export { bootstrapConfiguration, configurationProblem, findMember, isNodeId, MAX_MEMBERS } from './configuration.js'
export type {
  AppliedEvent,
  CancelChangeEvent,
  ChangeMembershipEvent,
  CoreEvent,
  OutboundDroppedEvent,
  PeerStatusEvent,
  PersistedEvent,
  ProposeEvent,
  ReadEvent,
  ReceiveEvent,
  ReconfigureEvent,
  SnapshotInstalledEvent,
  SnapshotReceivedEvent,
  SnapshotTakenEvent,
  SnapshotUnsentEvent,
  SnapshotWrittenEvent,
  TickEvent,
  TransferEvent,
} from './event.js'
export { MAX_ENTRIES_KEPT_FOR_PEERS } from './compaction.js'
export { decodeConfiguration, encodeConfiguration } from './configuration-codec.js'
export { FORWARD_WINDOW } from './forwarding.js'
export { hasJumped } from './clocks.js'
export { CATCH_UP_ROUNDS } from './membership.js'
export { type MembershipChange, wantedMembers } from './membership-change.js'
export { checkState, checkStep, type StateSummary, summarize } from './invariants.js'
export { hasEntry, type LogTrail, lastTerm, termAt } from './log-trail.js'
export type * from './messages.js'
export {
  type Append,
  type ChangeEndReason,
  type ChangeOutcome,
  type ChangeRefusal,
  Output,
  type ProposeResult,
  type ReadOutcome,
  type ReceivedChunk,
  type RoleChange,
  type SendSnapshot,
  type SnapshotAnswer,
  type SnapshotDecision,
  type TransferEndReason,
  type TransferOutcome,
  type TransferRefusal,
} from './output.js'
export type { Progress } from './progress.js'
export { hasQuorum, isVoter, type Quorum, quorumOf, quorumValue } from './quorum.js'
export { RaftCore } from './raft-core.js'
export { freshness } from './read-index.js'
export { RULES, type Rules } from './rules.js'
export type {
  CatchUp,
  Change,
  CoreOptions,
  CoreState,
  ForwardOrigin,
  PendingRead,
  RestoredState,
  SnapshotSource,
  Transfer,
} from './state.js'
export type * from './types.js'
