// The durable log and hard state behind a node (figure 2, "persistent state on all servers").
import type { HardState, LogEntry, LogIndex, Term } from '../core/types.js'

/** Who this store belongs to; written at the first start and, with the boot counter, at each one. */
export interface StoreIdentity {
  readonly clusterId: string
  /** Of the founding that the store belongs to; the founder has one to offer before. Else empty until then. */
  readonly nonce: string
  /** Random, made once for each store: a wiped disk has another. */
  readonly storeId: string
  /** Rises by one at each start, durably before anything is sent. */
  readonly bootCount: number
  /** Longest lease ever promised, ms. */
  readonly leasePromiseMs: number
  /** The node that it was first used by: another one on it could vote a second time in the first one's terms. */
  readonly nodeId?: string | undefined
  /** Of the bootstrap list that the cluster is to be founded by; empty once it is, and for a node without a list. */
  readonly bootstrapDigest?: string | undefined
}

/** What survived. */
export interface RestoredLog {
  /** `{ currentTerm: 0, votedFor: null }` for a new store. */
  readonly hardState: HardState
  /** 1 for a new store. For an empty log `lastIndex` is `firstIndex - 1`. */
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Term at `firstIndex - 1`, as `resetTo` gave it or as it was when compacted; 0 for a log that begins at 1. */
  readonly previousTerm: Term
  /** Where each term begins in `firstIndex..lastIndex`, rising; the first one begins at `firstIndex`. */
  readonly termRuns: readonly { readonly first: LogIndex; readonly term: Term }[]
  /** The configuration entries of `firstIndex..lastIndex`. */
  readonly configurations: readonly LogEntry[]
  readonly identity: StoreIdentity | null
}

/** In effect in the order `resetTo`, truncation, `entries`; all of it or nothing. */
export interface LogWrite {
  readonly hardState?: HardState
  /** Contiguous. The stored suffix from `entries[0].index` on is dropped first, in the same batch. */
  readonly entries?: readonly LogEntry[]
  /** The whole log is replaced by this position: `firstIndex` becomes `index + 1`, `previousTerm` `term`. */
  readonly resetTo?: { readonly index: LogIndex; readonly term: Term }
  readonly identity?: StoreIdentity
}

/** Durable log and hard state. The node calls it; calls never overlap, except `read` and `compact` with a running `write`. */
export interface LogStore {
  /** First call, once. Returns what survived; rejects with `RAFT_CORRUPTION` rather than guess. */
  open(): Promise<RestoredLog>
  /** One atomic, durable batch: resolves when it survives a power cut. A rejection is fatal to the node; it is never retried. */
  write(batch: LogWrite): Promise<void>
  /**
   * Entries `first..last`, both included; may stop early past `maxBytes` of payload, after at least one. Sees the state
   * before or after a running write, whole. [] when `first` is compacted or beyond the end; rejects only on I/O or corruption.
   */
  read(first: LogIndex, last: LogIndex, maxBytes: number): Promise<readonly LogEntry[]>
  /** Forgets entries up to and including `index`, at most up to the last one. Idempotent; may be lazy. */
  compact(index: LogIndex): Promise<void>
  /** After the last call has settled. Idempotent. */
  close(): Promise<void>
}
