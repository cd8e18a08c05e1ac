// A thread of `npm run sim`: takes seeds one by one, answers each with its result, and ends when it is told.
import { parentPort, workerData } from 'node:worker_threads'
import { runSeedGuarded } from './guarded-run.js'
import type { SeedOptions } from './run-seed.js'
import type { Profile } from './swarm.js'

/** What the thread is started with. */
export interface WorkerSettings {
  readonly profile: Profile
  readonly bug: string | undefined
}

// Errors are outcomes here, by the thousand, and nobody reads where they were made: what fails is run again by its seed.
Error.stackTraceLimit = 0

const { profile, bug } = workerData as WorkerSettings
const options: SeedOptions = { profile, bug }

parentPort?.on('message', (seed: bigint | null) => {
  if (seed === null) parentPort?.close()
  else void runSeedGuarded(seed, options).then((result) => parentPort?.postMessage(result))
})
