// The load: a number of callers, each of which makes its next call when its last one was answered.
import { Latencies, type Measured } from './samples.js'

export interface Load extends Measured {
  /** Calls that were refused; they are not in the figures. */
  readonly failed: number
  /** What the first of them said. */
  readonly failure: string | null
}

/** Calls in flight when the time is up are waited for and counted in the time that they took. */
export async function closedLoop(options: {
  readonly callers: number
  readonly seconds: number
  readonly call: () => Promise<unknown>
  /** Ends it before its time. */
  readonly signal?: AbortSignal
}): Promise<Load> {
  const latencies = new Latencies()
  const began = performance.now()
  const end = began + options.seconds * 1_000
  let failed = 0
  let failure: string | null = null
  async function caller(): Promise<void> {
    for (let now = began; now < end && options.signal?.aborted !== true; ) {
      const callBegan = performance.now()
      try {
        await options.call()
        latencies.record(callBegan)
      } catch (error) {
        failed += 1
        failure ??= error instanceof Error ? error.message : String(error)
        // A node that refuses at once must not turn this into a loop that never lets it work.
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      now = performance.now()
    }
  }
  await Promise.all(Array.from({ length: options.callers }, caller))
  return { ...latencies.measured(performance.now() - began), failed, failure }
}
