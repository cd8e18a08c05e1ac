// The public root of helios-raft: re-exports only. Everything below here runs in a browser too; what needs Node lies
// behind a subpath of its own (`helios-raft/level`, `helios-raft/files`, `helios-raft/tcp`).
export { bytesCodec } from './codec/bytes.js'
export { jsonCodec } from './codec/json.js'
export { decodeMessage, encodeMessage, messageLane } from './codec/message-codec.js'
export { msgpackCodec } from './codec/msgpack.js'
export type { Message } from './core/messages.js'
export type {
  Configuration,
  HardState,
  LogEntry,
  LogIndex,
  Member,
  MemberSpec,
  NodeId,
  Role,
  Term,
} from './core/types.js'
export { isRaftError, NotLeaderError, RaftError, type RaftErrorCode, type RaftErrorOptions } from './errors.js'
export type { Clock } from './interfaces/clock.js'
export type { Codec } from './interfaces/codec.js'
export type { LogStore, LogWrite, RestoredLog, StoreIdentity } from './interfaces/log-store.js'
export type { Logger } from './interfaces/logger.js'
export type { RaftStorage, SnapshotSink, SnapshotStore, StoredSnapshot } from './interfaces/snapshot-store.js'
export type { ApplyContext, SnapshotContext, SnapshotMeta, StateMachine } from './interfaces/state-machine.js'
export type { Transport, TransportLocal } from './interfaces/transport.js'
export type {
  CallOptions,
  MembershipOptions,
  Proposed,
  ProposeOptions,
  ReadConsistency,
  ReadOptions,
  ReadResult,
  SessionOptions,
  SessionProposeOptions,
  StopOptions,
} from './node/calls.js'
export { consoleLogger } from './node/console-logger.js'
export type { Instrumentation } from './node/instrumentation.js'
export type { Leadership, LeadershipTask } from './node/leadership-tasks.js'
export type { MemberUpdate } from './node/member-spec.js'
export type { RaftNodeEvents } from './node/node-events.js'
export { type Limits, presets, type RaftNodeOptions } from './node/options.js'
export { type AnyRaftNode, RaftNode } from './node/raft-node.js'
export { recoverCluster, type RecoverClusterOptions, type RecoveredCluster } from './node/recover-cluster.js'
export { restoreBackup, type RestoreBackupOptions } from './node/restore-backup.js'
export type { Session } from './node/sessions/session.js'
export type { SnapshotPolicy } from './node/snapshot-policy.js'
export type { PeerStatus, RaftStatus } from './node/status.js'
export { MemoryLogStore, MemorySnapshotStore, memoryStorage } from './stores/memory/index.js'
export { MemoryNetwork, type MemoryNetworkOptions } from './transports/memory/index.js'
