// The operations of one partition that may be placed or left out. Those with the same input and output are one class: once
// two of them were invoked, one is as good as the other, so the oldest unused one stands for all.
import type { Operation } from '../report.js'
import { effectsOf, NONE, OVERWRITES, outputOf } from './effects.js'
import type { LinearizabilityModel } from './model.js'
import { structuralHash, structurallyEqual } from './structural.js'

interface OptionalClass<Input, Output> {
  readonly first: Operation<Input, Output>
  /** Positions in the order of invocations. */
  readonly members: number[]
}

export class OptionalOperations<Input, Output> {
  /** How many members of each class are placed. */
  readonly used: Int32Array
  readonly effects: Uint8Array
  /** The classes with a member that is placed, the latest last; the first `placedCount` of them count. */
  readonly placed: Int32Array
  #placedCount = 0
  /** The classes that may change a state in a way that depends on it. */
  readonly dependent: readonly number[]
  /** The class after each that is not left out; the last item is the first class. */
  readonly #next: Int32Array
  readonly #classes: readonly OptionalClass<Input, Output>[]

  /** @param operations - by invocation; those that change nothing are left out at once */
  constructor(model: LinearizabilityModel<unknown, Input, Output>, operations: readonly Operation<Input, Output>[]) {
    this.#classes = classesOf(operations, effectsOf(model, operations))
    this.used = new Int32Array(this.#classes.length)
    this.placed = new Int32Array(this.#classes.length)
    this.effects = effectsOf(
      model,
      this.#classes.map(({ first }) => first),
    )
    const numbers = this.#classes.map((_, number) => number)
    this.dependent = numbers.filter((number) => this.effects[number] !== OVERWRITES)
    this.#next = Int32Array.from([...numbers.map((number) => number + 1), 0])
  }

  /** How many classes, in the order of their first invocations. */
  get length(): number {
    return this.#classes.length
  }

  get placedCount(): number {
    return this.#placedCount
  }

  place(number: number): void {
    if (this.used[number] === 0) this.placed[this.#placedCount++] = number
    this.used[number] = (this.used[number] as number) + 1
  }

  /** Only of the class that was placed last among those that are. */
  takeBack(number: number): void {
    this.used[number] = (this.used[number] as number) - 1
    if (this.used[number] === 0) this.#placedCount -= 1
  }

  /** The next class, or `length`; the first one after -1. */
  after(number: number): number {
    return this.#next.at(number) as number
  }

  /** The class after `number` comes no more. */
  leaveOutAfter(number: number): void {
    const index = number === -1 ? this.length : number
    this.#next[index] = this.#next[this.#next[index] as number] as number
  }

  /** The one of that class that was invoked first. */
  first(number: number): Operation<Input, Output> {
    return (this.#classes[number] as OptionalClass<Input, Output>).first
  }

  /** Nothing of this class, nor of those behind it, is among the first `limit` operations. */
  isBeyond(number: number, limit: number): boolean {
    return ((this.#classes[number] as OptionalClass<Input, Output>).members[0] as number) >= limit
  }

  /** A member that is not placed yet is among the first `limit` operations. */
  isAvailable(number: number, limit: number): boolean {
    const { members } = this.#classes[number] as OptionalClass<Input, Output>
    const next = this.used[number] as number
    return next < members.length && (members[next] as number) < limit
  }
}

function classesOf<Input, Output>(
  operations: readonly Operation<Input, Output>[],
  effects: Uint8Array,
): OptionalClass<Input, Output>[] {
  const classes: OptionalClass<Input, Output>[] = []
  const byHash = new Map<number, OptionalClass<Input, Output>[]>()
  operations.forEach((operation, position) => {
    if (effects[position] === NONE) return
    const output = outputOf(operation)
    const hash = structuralHash(operation.input) ^ structuralHash(output)
    const alike = byHash.get(hash) ?? []
    const known = alike.find(
      ({ first }) => structurallyEqual(first.input, operation.input) && structurallyEqual(outputOf(first), output),
    )
    if (known !== undefined) {
      known.members.push(position)
      return
    }
    const added = { first: operation, members: [position] }
    classes.push(added)
    alike.push(added)
    byHash.set(hash, alike)
  })
  return classes
}
