// The search of Wing and Gong with Lowe's memo over one partition: place a pending operation that may come next and whose
// answer the model allows, and go on from there; take the last one back when nothing can be placed. It has a stack of its
// own, so that a history of any length needs no recursion, and it can stop after any number of steps and go on later.
//
// The order in which it tries is what makes it fast; what it leaves out is what must be right:
//   1. an operation that changes nothing in any state where it's possible is placed at once, and nothing else is tried:
//      any legal order from here stays legal when that operation moves to its front;
//   2. an optional operation isn't placed if it leads to the state that was there already, now or before one of the
//      optional ones placed just before: without them the rest is as legal;
//   3. what would lead to the same state without the optional operation placed just before is not placed after it;
//   4. unseen writes (unseen-write.ts) and configurations that failed (failed-configurations.ts) are left out.
// Among the legal orders of a history there is one with the fewest operations, and none of these rules cuts it off.
import type { Operation } from '../report.js'
import { effectsOf, NONE, outputOf, OVERWRITES } from './effects.js'
import { type Configuration, FailedConfigurations, type MemoBudget } from './failed-configurations.js'
import type { LinearizabilityModel } from './model.js'
import { OptionalOperations } from './optional-operations.js'
import { ListMemory, PendingList } from './pending-list.js'
import { mix32 } from './structural.js'
import { areSame, isUnseenWrite } from './unseen-write.js'

/** What is tried at a configuration, one after the other. `target` is the operation that returns first. */
const READS = 0
const TARGET = 1
const HELPERS_OF_TARGET = 2
const OPTIONAL_HELPERS = 3
const OTHERS = 4
const OPTIONAL_OTHERS = 5
/** Everything was tried: it failed. */
const DONE = 6
/** The memo knows that it failed. */
const KNOWN_TO_FAIL = 7

/** How often a write is tried before it is worth to look through all operations for who may have seen it. */
const TRIES_BEFORE_LOOK = 16
/** Instead of the number of tries, from then on. */
const LOOKED_AT = 255

export interface SearchInput<Input, Output> {
  /** By invocation. */
  readonly required: readonly Operation<Input, Output>[]
  /** By invocation. */
  readonly optional: readonly Operation<Input, Output>[]
}

export class Search<State, Input, Output> {
  readonly #model: LinearizabilityModel<State, Input, Output>
  readonly #required: readonly Operation<Input, Output>[]
  readonly #effects: Uint8Array
  readonly #pending: PendingList
  readonly #optional: OptionalOperations<Input, Output>
  /** How many optional operations were invoked before each required one returned. */
  readonly #optionalLimit: Int32Array
  /** Of each class of optional operations, LOOKED_AT in the end. */
  readonly #tries: Uint8Array
  /** The required operations that may have seen a write; filtered when the first one asks. */
  #observers: readonly Operation<Input, Output>[] | null = null
  readonly #failed: FailedConfigurations<State>
  readonly #hasEffects: boolean
  /** What was placed at each depth: a required operation, or a class of optional ones plus `#pending.length`. */
  readonly #placed: Int32Array
  readonly #phases: Uint8Array
  readonly #states: State[]
  #depth = 0
  #phase = READS
  /** The operation or class to try next in this phase; -1: the first. */
  #cursor = -1
  #setHash = 0
  #steps = 0
  #furthest = 0

  constructor(
    model: LinearizabilityModel<State, Input, Output>,
    { required, optional }: SearchInput<Input, Output>,
    budget: MemoBudget,
    memory: ListMemory = new ListMemory(),
  ) {
    this.#model = model
    this.#required = required
    this.#effects = effectsOf(model, required)
    this.#pending = new PendingList(required, memory)
    this.#optional = new OptionalOperations(model as LinearizabilityModel<unknown, Input, Output>, optional)
    this.#optionalLimit = this.#pending.limitsOf(optional)
    this.#tries = new Uint8Array(this.#optional.length)
    this.#failed = new FailedConfigurations(model as LinearizabilityModel<State, never, never>, this.#pending, budget)
    this.#hasEffects = model.effect !== undefined
    this.#placed = this.#pending.list(required.length + optional.length)
    this.#phases = new Uint8Array(required.length + optional.length)
    this.#states = [model.init()]
  }

  /** How often the model was asked, about. */
  get steps(): number {
    return this.#steps
  }

  /** Once illegal: the required operations that returned before this one can be placed, those up to this one can't. */
  get furthest(): number {
    return this.#pending.byReturn[this.#furthest] as number
  }

  /** Goes on for about `stepCount` steps. Not to be called again once it is decided. */
  run(stepCount: number): 'ok' | 'illegal' | 'running' {
    const limit = this.#steps + stepCount
    while (this.#pending.firstReturn !== this.#pending.length) {
      if (this.#steps >= limit) return 'running'
      this.#steps += 1
      if (this.#advance()) continue
      if (this.#depth === 0) return 'illegal'
      this.#retreat()
    }
    return 'ok'
  }

  /** Gives its memory to the next search: not to be used any more. */
  release(): void {
    this.#failed.clear()
    this.#pending.release()
  }

  /** Places the next operation that is worth trying here; false if there is none left. */
  #advance(): boolean {
    for (; this.#phase < DONE; this.#phase += 1, this.#cursor = -1) {
      if (this.#tryPhase()) return true
    }
    return false
  }

  #tryPhase(): boolean {
    switch (this.#phase) {
      case READS:
        return this.#tryReads()
      case TARGET:
        return this.#cursor === -1 && this.#tryTarget()
      case HELPERS_OF_TARGET:
      case OTHERS:
        return this.#tryRequired()
      case OPTIONAL_HELPERS:
      case OPTIONAL_OTHERS:
        return this.#tryOptional()
      default:
        return false
    }
  }

  /** Operations that leave the state as it is. */
  #tryReads(): boolean {
    const limit = this.#pending.callLimit[this.#pending.firstReturn] as number
    for (let at = this.#firstOrAfterCursor(); at < limit; at = this.#pending.callAfter(at)) {
      if (this.#hasEffects && this.#effects[at] !== NONE) continue
      const next = this.#stateAfter(at)
      if (next === null || !(this.#hasEffects || Object.is(next, this.#state))) continue
      // Rule 1: a known read is the only thing to try.
      this.#place(at, next, this.#hasEffects ? DONE : READS)
      return true
    }
    return false
  }

  #tryTarget(): boolean {
    const target = this.#pending.firstReturn
    const next = this.#changedStateAfter(target)
    if (next === null) return false
    this.#place(target, next, TARGET)
    return true
  }

  /** First those after which the target is possible, then the others. */
  #tryRequired(): boolean {
    const target = this.#pending.firstReturn
    const limit = this.#pending.callLimit[target] as number
    for (let at = this.#firstOrAfterCursor(); at < limit; at = this.#pending.callAfter(at)) {
      if (at === target) continue
      const next = this.#changedStateAfter(at)
      if (next === null || this.#allowsTarget(next) !== (this.#phase === HELPERS_OF_TARGET)) continue
      this.#place(at, next, this.#phase)
      return true
    }
    return false
  }

  #tryOptional(): boolean {
    const limit = this.#optionalLimit[this.#pending.firstReturn] as number
    let previous = this.#cursor
    for (let number = this.#optional.after(previous); number < this.#optional.length; ) {
      if (this.#optional.isBeyond(number, limit)) return false
      if (this.#isUnseen(number)) this.#optional.leaveOutAfter(previous)
      else {
        if (this.#optional.isAvailable(number, limit) && this.#tryClass(number)) return true
        previous = number
      }
      number = this.#optional.after(previous)
    }
    return false
  }

  #tryClass(number: number): boolean {
    const next = this.#stateAfterOptional(number)
    if (next === null || this.#allowsTarget(next) !== (this.#phase === OPTIONAL_HELPERS)) return false
    this.#place(this.#pending.length + number, next, this.#phase)
    return true
  }

  get #state(): State {
    return this.#states[this.#depth] as State
  }

  get #isAfterOptional(): boolean {
    return this.#depth > 0 && (this.#placed[this.#depth - 1] as number) >= this.#pending.length
  }

  #firstOrAfterCursor(): number {
    return this.#cursor === -1 ? this.#pending.firstCall : this.#pending.callAfter(this.#cursor)
  }

  /** What the phase of the reads has not tried already; null: not here. */
  #changedStateAfter(at: number): State | null {
    if (this.#effects[at] === NONE) return null
    const next = this.#stateAfter(at)
    return next !== null && !this.#hasEffects && Object.is(next, this.#state) ? null : next
  }

  #stateAfter(at: number): State | null {
    if (this.#effects[at] === OVERWRITES && this.#isAfterOptional) return null
    const { input, output } = this.#required[at] as Operation<Input, Output>
    return this.#unlessReachedBefore(this.#step(this.#state, input, output), input, output)
  }

  #stateAfterOptional(number: number): State | null {
    if (this.#optional.effects[number] === OVERWRITES && this.#isAfterOptional) return null
    const operation = this.#optional.first(number)
    const output = outputOf(operation)
    const next = this.#step(this.#state, operation.input, output)
    return next === null || this.#wasThere(next) ? null : this.#unlessReachedBefore(next, operation.input, output)
  }

  /** Rule 2. */
  #wasThere(next: State): boolean {
    for (let depth = this.#depth; ; depth--) {
      if (areSame(this.#model, next, this.#states[depth] as State)) return true
      if (depth === 0 || (this.#placed[depth - 1] as number) < this.#pending.length) return false
    }
  }

  /** Rule 3. */
  #unlessReachedBefore(next: State | null, input: Input, output: Output | undefined): State | null {
    if (next === null || !this.#isAfterOptional) return next
    const without = this.#step(this.#states[this.#depth - 1] as State, input, output)
    return without !== null && areSame(this.#model, without, next) ? null : next
  }

  /** Whether to leave it out from now on. One that is placed right now stays: its place in the list is a cursor. */
  #isUnseen(number: number): boolean {
    this.#steps += 1
    const tries = this.#tries[number] as number
    if (tries === LOOKED_AT) return false
    this.#tries[number] = tries + 1
    this.#observers ??= this.#required.filter((_, at) => this.#effects[at] !== OVERWRITES)
    if (tries < TRIES_BEFORE_LOOK && tries < this.#observers.length) return false
    this.#tries[number] = LOOKED_AT
    if (this.#optional.used[number] !== 0) return false
    this.#steps += this.#observers.length + this.#optional.dependent.length
    return isUnseenWrite(this.#model, { observers: this.#observers, optional: this.#optional }, number)
  }

  #allowsTarget(state: State): boolean {
    const { input, output } = this.#required[this.#pending.firstReturn] as Operation<Input, Output>
    return this.#step(state, input, output) !== null
  }

  #step(state: State, input: Input, output: Output | undefined): State | null {
    this.#steps += 1
    return this.#model.step(state, input, output)
  }

  /** @param phase - in which the search goes on here if this fails */
  #place(placed: number, next: State, phase: number): void {
    this.#placed[this.#depth] = placed
    this.#phases[this.#depth] = phase
    this.#depth += 1
    this.#states[this.#depth] = next
    if (placed < this.#pending.length) {
      this.#pending.lift(placed)
      this.#setHash ^= mix32(placed + 1)
    } else {
      this.#optional.place(placed - this.#pending.length)
    }
    this.#phase = READS
    this.#cursor = -1
    const target = this.#pending.firstReturn
    if (target === this.#pending.length) return
    this.#furthest = Math.max(this.#furthest, this.#pending.returnRank[target] as number)
    if (this.#failed.hasAny(target) && this.#failed.has(this.#configuration())) this.#phase = KNOWN_TO_FAIL
  }

  #retreat(): void {
    if (this.#phase !== KNOWN_TO_FAIL) this.#failed.add(this.#configuration())
    this.#states.length = this.#depth
    this.#depth -= 1
    const placed = this.#placed[this.#depth] as number
    this.#phase = this.#phases[this.#depth] as number
    if (placed < this.#pending.length) {
      this.#pending.unlift(placed)
      this.#setHash ^= mix32(placed + 1)
      this.#cursor = placed
    } else {
      this.#cursor = placed - this.#pending.length
      this.#optional.takeBack(this.#cursor)
    }
  }

  #configuration(): Configuration<State> {
    return { state: this.#state, setHash: this.#setHash, optional: this.#optional }
  }
}
