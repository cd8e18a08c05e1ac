// One register with compare-and-set: `read`, `write` and `cas`. No keys, nothing there at first.
import type { LinearizabilityModel } from '../model.js'

export type CasInput =
  | { readonly op: 'read' }
  | { readonly op: 'write'; readonly value: string }
  | { readonly op: 'cas'; readonly from: string | null; readonly to: string }

/**
 * A read's output is the value, or null if nothing was written yet. A cas answers true if the value was `from` and is
 * `to` now, false if it was something else; `from: null` means that nothing was there. Other outputs say nothing. A write
 * of unknown outcome may have happened or not; so may an unknown cas, which also may have found another value.
 */
export function cas(): LinearizabilityModel<unknown, CasInput, string | boolean | null> {
  const model: LinearizabilityModel<string | undefined, CasInput, string | boolean | null> = {
    init: () => undefined,
    step(state, input, output) {
      if (input.op === 'write') return input.value
      if (input.op === 'read') return output === undefined || output === (state ?? null) ? state : null
      const isEqual = input.from === (state ?? null)
      if (typeof output === 'boolean' && output !== isEqual) return null
      return isEqual ? input.to : state
    },
    effect({ op }, output) {
      if (op === 'write') return 'overwrites'
      return op === 'read' || output === false ? 'none' : 'depends'
    },
    describe: (input, output) => `${describeInput(input)} -> ${JSON.stringify(output)}`,
  }
  return model
}

function describeInput(input: CasInput): string {
  if (input.op === 'read') return 'read'
  if (input.op === 'write') return `write ${JSON.stringify(input.value)}`
  return `cas ${JSON.stringify(input.from)} to ${JSON.stringify(input.to)}`
}
