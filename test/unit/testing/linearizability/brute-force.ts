// Linearizability by its definition, with nothing clever: every order of every subset that has all answered operations.
// All keys at once, so that cutting by key is judged too. For at most eight operations. An unknown operation that has an
// output may be left out, but must answer that if it's placed.
import type { LinearizabilityModel, Operation } from 'helios-raft/testing'

export function bruteForce<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): 'ok' | 'illegal' {
  const operations = history.filter(({ outcome }) => outcome !== 'rejected')
  const keyOf = (input: Input): string => model.key?.(input) ?? ''
  const place = (left: readonly Operation<Input, Output>[], states: ReadonlyMap<string, State>): boolean => {
    if (left.every(({ outcome }) => outcome === 'unknown')) return true
    return left.some((operation) => {
      const { input, output, invokedMs } = operation
      const mustComeBefore = left.some((other) => other.outcome === 'ok' && other.returnedMs < invokedMs)
      if (mustComeBefore) return false
      const state = states.has(keyOf(input)) ? (states.get(keyOf(input)) as State) : model.init()
      const next = model.step(state, input, output)
      if (next === null) return false
      return place(
        left.filter((other) => other !== operation),
        new Map(states).set(keyOf(input), next),
      )
    })
  }
  return place(operations, new Map()) ? 'ok' : 'illegal'
}
