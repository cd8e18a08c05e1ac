// The two clocks of an event, beside each other (F20, F21). A machine that was suspended has a monotonic clock that did not count
// it, and the wall clock tells: whatever was measured across that moment is longer ago than it seems.
import type { Core } from './core.js'
import { restartLease } from './lease.js'
import { RULES, type Rules } from './rules.js'
import type { CoreState } from './state.js'

export interface Clocks {
  readonly now: number
  /** Read after `now`. */
  readonly wallTime: number
}

/** An event brought both clocks. */
export function noticeClocks(core: Core, clocks: Clocks): void {
  const { state, rules } = core
  if (hasJumped(state, clocks, rules)) {
    state.clockJumpedAt = state.now
    state.freshAt = Number.NEGATIVE_INFINITY
    state.freshPending = null
    for (const progress of state.progress.values()) progress.confirmedAt = Number.NEGATIVE_INFINITY
    restartLease(core)
  }
  state.wallTime = clocks.wallTime
  state.wallAheadMs = clocks.wallTime - clocks.now
}

/** The machine was suspended since the last event that brought both clocks, or its wall clock was set forward. */
export function hasJumped(
  { wallTime: before, wallAheadMs }: Pick<CoreState, 'wallTime' | 'wallAheadMs'>,
  { now, wallTime }: Clocks,
  rules: Pick<Rules, 'isClockJump'> = RULES,
): boolean {
  return before > 0 && rules.isClockJump(wallTime - now - wallAheadMs)
}
