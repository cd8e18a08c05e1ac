// Holds what clients were told against a model of the user's own (assurance §3): is there an order of all calls, each
// between its beginning and its end, in which the model gives just these answers? Local reads promise no such order.
import type { Invariants } from './invariants.js'
import { checkLinearizability } from './linearizability/check.js'
import type { LinearizabilityModel } from './linearizability/model.js'
import type { Action, Operation } from './report.js'

/** Longest time of the machine that one history is searched, ms. */
const SEARCH_TIMEOUT_MS = 60_000

/** Fails the run when the history is illegal, or when nobody could tell in time. */
export function judgeHistory<Command, Query, Answer>(
  model: LinearizabilityModel<unknown, Action<Command, Query>, Answer>,
  history: readonly Operation<Action<Command, Query>, Answer>[],
  invariants: Invariants,
): void {
  const ordered = history.filter(({ input }) => input.type === 'propose' || input.consistency !== 'local')
  const { verdict, failure } = checkLinearizability(model, ordered, { timeoutMs: SEARCH_TIMEOUT_MS })
  if (verdict === 'illegal') invariants.fail('linearizability', failure?.text ?? 'the history is not linearizable')
  if (verdict === 'undecided') {
    const advice = 'use fewer clients, shorter histories, or a model with `key`'
    invariants.fail('linearizability', `no order of the history was found in ${SEARCH_TIMEOUT_MS} ms: ${advice}`)
  }
}
