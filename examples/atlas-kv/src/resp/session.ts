// What one connection is, beside its socket: number, name, protocol; and the window through which its commands see the
// server. Nothing of it is replicated.
import type { CallOptions, LogIndex, RaftStatus, ReadConsistency } from 'helios-raft'
import type { Administration } from '../admin/administration.js'
import type { KvState } from '../state-machine/kv-state.js'

export interface Session {
  readonly id: number
  /** `host:port` of the client and of this server. */
  readonly address: string
  readonly localAddress: string
  /** Ms of the server's monotonic clock. */
  readonly connectedAt: number
  /** Latin-1, like everything that clients send. */
  name: string
  libraryName: string
  libraryVersion: string
  lastCommand: string
  protocol: 2 | 3
  /** Set by QUIT: the connection ends when what was answered is sent. */
  isClosing: boolean
  /** Of its reads; null for the server's. */
  readConsistency: ReadConsistency | null
  /** Of its last acknowledged write; 0 before the first. */
  lastWriteIndex: LogIndex
  readonly host: RespHost
}

/** The server behind a connection, as far as commands may look. */
export interface RespHost {
  readonly version: string
  readonly settings: RespSettings
  readonly state: KvState
  readonly admin: Administration
  /** The node is starting: nothing is served yet. */
  readonly isLoading: boolean
  /** Ms of a monotonic clock. */
  now(): number
  status(): RaftStatus
  /** Voters that hold an index durably, this node included. @throws RaftError */
  replicas(index: LogIndex, count: number, options: CallOptions): Promise<number>
  sessions(): Iterable<Session>
  /** Something that should not have happened. Never throws. */
  report(error: unknown): void
  readonly counters: RespCounters
}

export interface RespSettings {
  readonly port: number
  readonly readConsistency: ReadConsistency
  readonly followerWrites: 'forward' | 'reject' | 'moved'
}

export interface RespCounters {
  connectionsReceived: number
  connectionsRejected: number
  commandsProcessed: number
}
