// What every file of the core is handed: the state, the rules, and the Output of the event under way.
import type { Output } from './output.js'
import { findMember } from './configuration.js'
import { isVoter, quorumOf } from './quorum.js'
import type { Rules } from './rules.js'
import type { CoreOptions, CoreState } from './state.js'
import type { Configuration } from './types.js'

export interface Core {
  /** Replaced as a whole, by `reconfigure` only. */
  options: CoreOptions
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
export function isPromotable(core: Core): boolean {
  const { state, options } = core
  const latest = state.log.configurations.at(-1)
  if (state.installing !== null || latest === undefined) return false
  if (isVoter(state.quorum, options.id)) return hasOwnStore(core, latest.configuration)
  const previous = state.log.configurations.at(-2)
  if (previous === undefined || latest.index <= state.commitIndex) return false
  return isVoter(quorumOf(previous.configuration), options.id) && hasOwnStore(core, previous.configuration)
}

/**
 * Whether the configuration means this very node by its name. One whose disk was wiped and that was added again receives the
 * whole log, and finds itself a voter in configurations of before, or the only one: those voted with another store (H19).
 */
function hasOwnStore({ options, rules }: Core, configuration: Configuration): boolean {
  const [expected, own] = [findMember(configuration, options.id)?.storeId, options.storeId]
  return expected === undefined || own === undefined || rules.isOwnStore(expected, own)
}
