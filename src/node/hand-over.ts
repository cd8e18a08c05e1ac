// What a leader does before it stops (F4): another voter takes over, and what stands in the log is given the time to be
// applied here. Gives up where that can't be done in time, and never rejects: a stop goes on behind it.
import type { CoreState } from '../core/state.js'
import { textOf } from './failures.js'
import type { FixedOptions } from './options.js'
import type { Proposals } from './proposals.js'
import type { Transfers } from './transfers.js'
import type { Watchers } from './watchers.js'

export interface HandOverParts {
  readonly options: Pick<FixedOptions, 'id' | 'clock' | 'logger'>
  readonly state: CoreState
  readonly proposals: Proposals
  readonly transfers: Transfers
  readonly watchers: Watchers
}

/** @param timeoutMs - for all of it */
export async function handOver(parts: HandOverParts, timeoutMs: number): Promise<void> {
  const { options, state, proposals, transfers, watchers } = parts
  const { id, clock, logger } = options
  // What waits is not handed on any more: a command that the next leader gets now would end as `unknown`.
  proposals.freeze()
  const hasOthers = state.quorum.incoming.some((voter) => voter !== id)
  if (state.role !== 'leader' || !hasOthers) return
  const endsAt = clock.now() + timeoutMs
  const left = () => ({ signal: undefined, timeoutMs: Math.max(0, endsAt - clock.now()) })
  try {
    // One that a client asked for is as good.
    if (state.transfer === null) await transfers.submit(null, left())
    const isOver = () => state.leaderId !== null && state.leaderId !== id && !proposals.hasOutside
    const look = () => (isOver() ? true : undefined)
    await watchers.watch(left(), { look, describe: () => 'leadership to be handed over' })
  } catch (error) {
    logger.warn({ node: id, reason: textOf(error) }, 'Stopping without a hand-over')
  }
}
