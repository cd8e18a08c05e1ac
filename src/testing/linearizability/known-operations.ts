// Refuses an operation that a model does not know: without it a mistyped `op` would pass for one that does nothing.
import type { LinearizabilityModel } from './model.js'

/**
 * The same function, whose models throw a TypeError for an `op` that is not one of `operations`. Looked at once for each
 * operation of a history, where its effect is asked.
 */
export function knowingOnly<Options extends readonly unknown[], State, Input extends { readonly op: string }, Output>(
  operations: readonly Input['op'][],
  create: (...options: Options) => LinearizabilityModel<State, Input, Output>,
): (...options: Options) => LinearizabilityModel<State, Input, Output> {
  return (...options) => {
    const model = create(...options)
    return {
      ...model,
      effect(input, output) {
        if (operations.includes(input.op)) return model.effect?.(input, output) ?? 'depends'
        throw new TypeError(
          `the operation ${JSON.stringify(input)} is unknown: its op must be ${operations.join(', ')}`,
        )
      },
    }
  }
}
