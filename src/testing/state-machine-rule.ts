// The form of a rule of StateMachine: a name, the contract in words, and a property that fast-check tries to break.
import type { Arbitrary } from 'fast-check'
import type { ConformanceCase } from './conformance.js'
import type { StateMachineBench } from './state-machine-bench.js'

export type Bench = StateMachineBench<unknown>
export type StateMachineCase = ConformanceCase<Bench>

/** A case that is one property. */
export function rule<Input>(options: {
  readonly name: string
  /** What the interface promises, in words. */
  readonly contract: string
  readonly input: (bench: Bench) => Arbitrary<Input>
  /** Rejects where the input shows that it is broken. */
  readonly body: (bench: Bench, input: Input) => Promise<void>
}): StateMachineCase {
  const { name, contract, input, body } = options
  return { name, body: (bench) => bench.check(contract, input(bench), (value) => body(bench, value)) }
}
