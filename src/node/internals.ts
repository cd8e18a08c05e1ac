// Parts that the simulator and the seeded bugs replace or watch. Not part of the public API: reached by a symbol in the
// options, never exported from the root, and empty in production.
import type { CoreEvent } from '../core/event.js'
import type { Output } from '../core/output.js'
import type { RaftCore } from '../core/raft-core.js'
import type { Rules } from '../core/rules.js'
import type { CoreOptions, CoreState, RestoredState } from '../core/state.js'
import type { Configuration } from '../core/types.js'
import { NODE_RULES, type NodeRules } from './node-rules.js'

/** Key of `Internals` in the options of a RaftNode. */
export const INTERNALS: unique symbol = Symbol.for('helios-raft/internals')

/** Where the LogWriter stands when an Output is handed to it. */
export interface WriterPosition {
  /** The Output has entries or a hard state to write. */
  readonly writes: boolean
  /** A write that was handed out before is not durable yet. */
  readonly hasEarlierWrites: boolean
}

/** What the driver uses of a core. */
export type SteppedCore = Pick<RaftCore, 'state' | 'standsAlone' | 'step'>

/** Everything that a core is made of. */
export interface CoreStart {
  readonly options: CoreOptions
  readonly restored: RestoredState
  /** Of the clock of its events, ms. */
  readonly now: number
}

export interface Internals {
  /** Replacements of single decisions of the core. */
  readonly rules?: Partial<Rules> | undefined
  /** In force before the first entry of the log: the cluster counts as founded. @defaultValue none, as the log says */
  readonly founding?: Configuration | undefined
  /** Makes store ids and nonces. @defaultValue 128 random bits */
  readonly makeId?: (() => string) | undefined
  /** Replacements of single decisions around it. */
  readonly nodeRules?: Partial<NodeRules> | undefined
  /** Once for each start of the node: the core that runs instead, which may alter events and Outputs of the real one. */
  readonly wrapCore?: ((core: SteppedCore, options: CoreOptions) => SteppedCore) | undefined
  /** Whether `messagesAfterPersist` of an Output wait (H111). @defaultValue `writes || hasEarlierWrites` */
  readonly answersWait?: ((position: WriterPosition) => boolean) | undefined
  /** Before the core is made; with every event that `observe` sees afterwards it can be made again. */
  readonly observeStart?: ((start: CoreStart) => void) | undefined
  /** After each step of the core, before its Output is carried out; once without an event when the core was made. Must not write. */
  readonly observe?: ((state: CoreState, event: CoreEvent | null, output: Output | null) => void) | undefined
  /** The Output of the last event was handed out, or had nothing in it: the next event begins another one. Must not write. */
  readonly observeHandOut?: ((state: CoreState) => void) | undefined
  /** The core found itself wrong at that event, with the Output that was passed to it: the node stops. */
  readonly observeFailure?: ((event: CoreEvent, output: Output) => void) | undefined
}

/** What sees everything that a core takes, and could make it again. */
export type CoreObserver = Pick<Internals, 'observeStart' | 'observe' | 'observeHandOut' | 'observeFailure'>

/** The internals that were put into the options, or none. */
export function internalsOf(options: object): Internals {
  return (options as { readonly [INTERNALS]?: Internals })[INTERNALS] ?? {}
}

/** The decisions around the core, those that were replaced too. */
export function nodeRulesOf({ nodeRules }: Internals): NodeRules {
  return nodeRules === undefined ? NODE_RULES : { ...NODE_RULES, ...nodeRules }
}
