// Spreads seeds over threads. A result depends on its seed alone, so the number of threads changes nothing but the time;
// results are handed on in the order of the seeds.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { runSeedGuarded } from './guarded-run.js'
import type { SeedResult } from './run-seed.js'
import type { Profile } from './swarm.js'
import type { WorkerSettings } from './sim-worker.js'

/** Fewer seeds than this are run here: a thread costs more than it saves. */
export const SEEDS_WORTH_A_THREAD = 16

/** Most threads, whatever the machine has. */
const MAX_THREADS = 8

export interface SeedRange {
  readonly firstSeed: bigint
  readonly seedCount: number
  readonly profile: Profile
  readonly bug: string | undefined
}

/** How many threads so many seeds are spread over. */
export function threadsFor(seedCount: number): number {
  return Math.max(1, Math.min(MAX_THREADS, availableParallelism(), Math.floor(seedCount / SEEDS_WORTH_A_THREAD)))
}

/** Runs all seeds; `onResult` is called once for each, in their order. */
export async function runSeeds(range: SeedRange, onResult: (result: SeedResult) => void): Promise<void> {
  const { firstSeed, seedCount, profile, bug } = range
  const threads = threadsFor(seedCount)
  if (threads < 2) {
    for (let at = 0; at < seedCount; at++) onResult(await runSeedGuarded(firstSeed + BigInt(at), { profile, bug }))
    return
  }
  const ordered = new InOrder(onResult)
  let next = 0
  const takeSeed = (): number | null => (next < seedCount ? next++ : null)
  await Promise.all(Array.from({ length: threads }, () => runThread(range, takeSeed, ordered)))
}

/** Holds back results that came before an earlier seed's; at most as many as the threads are apart. */
class InOrder {
  readonly #onResult: (result: SeedResult) => void
  readonly #held = new Map<number, SeedResult>()
  #next = 0

  constructor(onResult: (result: SeedResult) => void) {
    this.#onResult = onResult
  }

  add(at: number, result: SeedResult): void {
    this.#held.set(at, result)
    for (let held = this.#held.get(this.#next); held !== undefined; held = this.#held.get(this.#next)) {
      this.#held.delete(this.#next)
      this.#next += 1
      this.#onResult(held)
    }
  }
}

function runThread(range: SeedRange, takeSeed: () => number | null, ordered: InOrder): Promise<void> {
  const { firstSeed, profile, bug } = range
  const workerData: WorkerSettings = { profile, bug }
  const worker = new Worker(new URL('./sim-worker.js', import.meta.url), { workerData })
  let running = takeSeed()
  const give = (): void => worker.postMessage(running === null ? null : firstSeed + BigInt(running))
  return new Promise((resolve, reject) => {
    worker.on('message', (result: SeedResult) => {
      if (running !== null) ordered.add(running, result)
      running = takeSeed()
      give()
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`a simulator thread ended with exit code ${code} at seed ${String(running)}`))
    })
    give()
  })
}
