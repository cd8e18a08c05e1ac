// One counter: `read` and `add`. Zero at first.
import type { LinearizabilityModel } from '../model.js'

export type CounterInput = { readonly op: 'read' } | { readonly op: 'add'; readonly by: number }

/**
 * A read's output is the count; an add's output is the count afterwards, or null if it doesn't say. An add of unknown
 * outcome may have happened at any time after its invocation, or not at all.
 */
export function counter(): LinearizabilityModel<unknown, CounterInput, number | null> {
  const model: LinearizabilityModel<number, CounterInput, number | null> = {
    init: () => 0,
    step(count, input, output) {
      if (input.op === 'read') return output === undefined || output === count ? count : null
      const sum = count + input.by
      return output === undefined || output === null || output === sum ? sum : null
    },
    effect: ({ op }) => (op === 'read' ? 'none' : 'depends'),
    describe: (input, output) => `${input.op === 'read' ? 'read' : `add ${input.by}`} -> ${JSON.stringify(output)}`,
  }
  return model
}
