// What every file of the core is handed: the state, the rules, and the Output of the event under way.
import type { Output } from './output.js'
import { isVoter } from './quorum.js'
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

/** May campaign: a voter of the configuration in force, when its log is not about to be another one (F6, H17). */
export function isPromotable({ state, options }: Core): boolean {
  return state.installing === null && isVoter(state.quorum, options.id)
}
