// Runs a plan of hunts on threads, one seed at a time each.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Hunt, HuntPlan, type HuntResult, type HuntTask } from './hunt-plan.js'
import type { HuntAnswer, HuntOrder } from './hunt-worker.js'

/** Most threads, whatever the machine has. */
const MAX_THREADS = 8

/** Runs all hunts; `onResult` is called once for each, as it ends. */
export async function runHunts(
  hunts: readonly Hunt[],
  maxSeeds: number,
  onResult: (result: HuntResult) => void,
): Promise<void> {
  const plan = new HuntPlan(hunts, maxSeeds, onResult)
  const threads = Math.min(MAX_THREADS, availableParallelism())
  await Promise.all(Array.from({ length: threads }, (_, thread) => runThread(plan, thread)))
}

function runThread(plan: HuntPlan, thread: number): Promise<void> {
  const worker = new Worker(new URL('./hunt-worker.js', import.meta.url))
  let task: HuntTask | null = null
  const give = (): void => {
    task = plan.take(thread)
    const order: HuntOrder | null = task === null ? null : { bug: plan.bugOf(task), seed: plan.seedOf(task) }
    worker.postMessage(order)
  }
  return new Promise((resolve, reject) => {
    worker.on('message', (answer: HuntAnswer) => {
      if (task !== null) plan.done(task, answer)
      give()
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      const at = task === null ? 'the end' : `seed ${plan.seedOf(task)} of ${plan.bugOf(task)}`
      if (code === 0) resolve()
      else reject(new Error(`a thread ended with exit code ${code} at ${at}`))
    })
    give()
  })
}
