// Spreads models over threads, the largest first. What is found depends on the model alone, not on the threads.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Model } from './model.js'
import type { ModelWorkerMessage, ModelWorkerSettings } from './model-worker.js'

/** Most threads, whatever the machine has: each holds a model in memory. */
const MAX_THREADS = 4

export interface RunnerOptions {
  readonly bug: string | undefined
  readonly onMessage: (message: ModelWorkerMessage) => void
}

/** Searches all models; results come as they are ready. */
export async function runModels(models: readonly Model[], options: RunnerOptions): Promise<void> {
  const waiting = [...models]
  const threads = Math.min(MAX_THREADS, availableParallelism(), models.length)
  await Promise.all(Array.from({ length: threads }, () => runThread(waiting, options)))
}

function runThread(waiting: Model[], { bug, onMessage }: RunnerOptions): Promise<void> {
  const workerData: ModelWorkerSettings = { bug }
  const worker = new Worker(new URL('./model-worker.js', import.meta.url), { workerData })
  const give = (): void => worker.postMessage(waiting.shift()?.name ?? null)
  return new Promise((resolve, reject) => {
    worker.on('message', (message: ModelWorkerMessage) => {
      onMessage(message)
      if (message.type === 'result') give()
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`a thread of the model checker ended with exit code ${code}`))
    })
    give()
  })
}
