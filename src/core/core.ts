// What every file of the core is handed: the state, the rules, and the Output of the event under way.
import type { Output } from './output.js'
import { isVoter, quorumOf } from './quorum.js'
import type { Rules } from './rules.js'
import type { CoreOptions, CoreState } from './state.js'
import type { Configuration } from './types.js'

export interface Core {
  readonly options: CoreOptions
  readonly rules: Rules
  readonly state: CoreState
  output: Output
}

/** The configuration in force: the last one in the log, committed or not (§6). */
export function currentConfiguration(state: CoreState): Configuration | null {
  return state.log.configurations.at(-1)?.configuration ?? null
}

/**
 * May campaign: a voter of the configuration in force or, while that is not committed, of the one before. That one may
 * hold the only log that can win: nobody else could commit what leaves it out (F6, H17, H44). Nobody does whose log is
 * about to be another one.
 */
export function isPromotable({ state, options }: Core): boolean {
  if (state.installing !== null) return false
  if (isVoter(state.quorum, options.id)) return true
  const [previous, latest] = state.log.configurations.slice(-2)
  if (previous === undefined || latest === undefined || latest.index <= state.commitIndex) return false
  return isVoter(quorumOf(previous.configuration), options.id)
}
