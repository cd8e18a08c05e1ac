// One register: `read` and `write`. No keys, nothing there at first.
import type { LinearizabilityModel } from '../model.js'

export type RegisterInput = { readonly op: 'read' } | { readonly op: 'write'; readonly value: string }

/**
 * A read's output is the value, or null if nothing was written yet; what a write answers says nothing. A write of unknown
 * outcome may have happened at any time after its invocation, or not at all; an unknown read tells nothing.
 */
export function register(): LinearizabilityModel<unknown, RegisterInput, string | null> {
  const model: LinearizabilityModel<string | undefined, RegisterInput, string | null> = {
    init: () => undefined,
    step(state, input, output) {
      if (input.op === 'write') return input.value
      return output === undefined || output === (state ?? null) ? state : null
    },
    effect: ({ op }) => (op === 'write' ? 'overwrites' : 'none'),
    describe(input, output) {
      const what = input.op === 'write' ? `write ${JSON.stringify(input.value)}` : 'read'
      return `${what} -> ${JSON.stringify(output)}`
    },
  }
  return model
}
