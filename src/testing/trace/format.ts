// The lines of a trace (docs/reference/trace-format.md): the header, which says who wrote it, and the shape of all others.
// A change of anything here, or of what a step says, is a new version.
import { readFileSync } from 'node:fs'
import type { LogIndex, NodeId, Role, Term } from '../../core/types.js'

export const TRACE_FORMAT = 'helios-raft-trace'
/** Raised by each change that an older reader would misunderstand. */
export const TRACE_VERSION = 1

/** Longest line that a reader takes: the largest message in base64, with room. */
export const MAX_LINE_BYTES: number = 64 * 1024 * 1024

/** The first line. */
export interface TraceHeader {
  readonly format: typeof TRACE_FORMAT
  readonly version: number
  /** Version of the library that wrote it: another one may take other steps. */
  readonly library: string
  /** `sim`: a seed of `npm run sim`; `simulate`: a run of the user's own. */
  readonly source: 'sim' | 'simulate'
  /** Decimal. */
  readonly seed: string
  /** The seeded bug that the run had, or null. */
  readonly bug: string | null
  readonly cluster: unknown
  /** Wall clock of the world at 0 ms, ms since 1970, before each node's own error. */
  readonly epochMs: number
}

/** What a core says of itself after a step. */
export interface StateView {
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
  readonly role: Role
  readonly leaderId: NodeId | null
  readonly commitIndex: LogIndex
  readonly lastApplied: LogIndex
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** What the core knows to be durable. */
  readonly persisted: { readonly currentTerm: Term; readonly votedFor: NodeId | null; readonly index: LogIndex }
  /** Of the configuration in force. `votersOutgoing` is empty but in joint consensus. */
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  /** Who voted for it in `currentTerm`, and who agreed to its pre-vote. */
  readonly grants: readonly NodeId[]
  readonly preVotes: readonly NodeId[]
  /** On a leader. */
  readonly peers: Readonly<Record<NodeId, { readonly nextIndex: LogIndex; readonly matchIndex: LogIndex }>>
}

/** What a line holds beside `number`, `atMs` and `node`. */
export interface StepBody {
  readonly step: string
  readonly [field: string]: unknown
}

/** Node of the lines that are about no node. */
export const WORLD = 'world'

/** The header of a trace that this library writes. */
export function traceHeader(run: Pick<TraceHeader, 'source' | 'seed' | 'bug' | 'cluster' | 'epochMs'>): TraceHeader {
  return { format: TRACE_FORMAT, version: TRACE_VERSION, library: LIBRARY_VERSION, ...run }
}

/** Version of this library, from its package.json. */
export const LIBRARY_VERSION: string = readVersion()

function readVersion(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}
