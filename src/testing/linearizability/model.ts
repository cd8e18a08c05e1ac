// What a model of a sequential object is, and what a check of a history against one gives. Types only.
import type { Operation } from '../report.js'

/**
 * What the answer of an operation tells about it, whatever the state was:
 * `none`: with this answer it leaves every state in which it's possible as it was (a read, a refused cas);
 * `overwrites`: it's possible in every state, and the state afterwards is the same one whatever it was before (a blind
 * write); `depends`: anything else, and always true.
 */
export type Effect = 'none' | 'overwrites' | 'depends'

/** A sequential object, one operation at a time. All methods are pure: a state is never changed, a new one is made. */
export interface LinearizabilityModel<State, Input, Output> {
  /** The state before the first operation; of each key, if there is `key`. */
  init(): State
  /** The state afterwards; null when that output is impossible here. `output` is undefined for an unknown outcome. */
  step(state: State, input: Input, output: Output | undefined): State | null
  /** Operations on different keys are independent. @defaultValue all operations are on one object */
  key?(input: Input): string
  /** @defaultValue structural, which suits plain data; private fields of classes are not seen by it */
  equal?(a: State, b: State): boolean
  /** For the text of a failure. @defaultValue the input and the output as they are */
  describe?(input: Input, output: Output | undefined): string
  /**
   * Makes checks faster, never different: reads are placed at once, and unknown writes that nobody saw are left out. An
   * answer other than `depends` must be true in every state. @defaultValue `depends`
   */
  effect?(input: Input, output: Output | undefined): Effect
  /** For models with `equal`, whose states are otherwise compared one by one: equal states must have the same number. */
  hash?(state: State): number
}

/** What `checkLinearizability` found. */
export interface LinearizabilityResult<Input, Output> {
  /** `undecided`: the time was up first. */
  readonly verdict: 'ok' | 'illegal' | 'undecided'
  /** Of the first illegal key that was found; null unless illegal. */
  readonly failure: LinearizabilityFailure<Input, Output> | null
}

/** Why a history is illegal. */
export interface LinearizabilityFailure<Input, Output> {
  /** Empty if the model has no keys. */
  readonly key: string
  /**
   * Operations of that key, by the time of their invocation, that have no legal order even if all others may or may not
   * have happened, at any time after they were invoked.
   */
  readonly window: readonly Operation<Input, Output>[]
  /** The window as lines of a timeline. */
  readonly text: string
}
