// What one connection is, beside its socket: number, name, protocol; and the window through which its commands see the
// server. Nothing of it is replicated.
import type { RaftStatus } from 'helios-raft'
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
  sessions(): Iterable<Session>
  /** Something that should not have happened. Never throws. */
  report(error: unknown): void
  readonly counters: RespCounters
}

export interface RespSettings {
  readonly port: number
  readonly readConsistency: 'linearizable' | 'local'
  readonly followerWrites: 'forward' | 'reject' | 'moved'
}

export interface RespCounters {
  connectionsReceived: number
  connectionsRejected: number
  commandsProcessed: number
}
