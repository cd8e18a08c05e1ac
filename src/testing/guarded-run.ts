// Runs one seed so that nothing can slip past: an exception out of the library and a rejection that nobody handles are
// violations like any other (H101). Only for the processes of `npm run sim`, which run one seed at a time.
import { runSeed, type SeedOptions, type SeedResult } from './run-seed.js'

/** Never rejects. */
export async function runSeedGuarded(seed: bigint, options: SeedOptions = {}): Promise<SeedResult> {
  let unhandled: string | null = null
  const onUnhandled = (error: unknown): void => {
    unhandled ??= `a rejection was not handled: ${describe(error)}`
  }
  process.on('unhandledRejection', onUnhandled)
  try {
    const result = await runSeed(seed, options)
    return result.violation === null && unhandled !== null
      ? { ...result, violation: unhandled, check: 'unhandled-rejection' }
      : result
  } catch (error) {
    const measures = { events: 0, simulatedMs: 0, faults: 0, calls: 0, traceHash: '', coverage: {} }
    const check = 'exception'
    return { seed, ...measures, check, violation: `an exception reached the simulator: ${describe(error)}` }
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
