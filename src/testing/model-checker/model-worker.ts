// A thread of `npm run modelcheck`: searches the models that it is named, one by one, and answers each with its result.
import { parentPort, workerData } from 'node:worker_threads'
import { guardNamed } from './removed-guards.js'
import { findModel } from './models.js'
import { Search, type SearchResult } from './search.js'

/** What the thread is started with. */
export interface ModelWorkerSettings {
  readonly bug: string | undefined
}

/** What the thread says. */
export type ModelWorkerMessage =
  | { readonly type: 'progress'; readonly model: string; readonly depth: number; readonly states: number }
  | { readonly type: 'result'; readonly model: string; readonly result: SearchResult; readonly seconds: number }

const { bug } = workerData as ModelWorkerSettings

parentPort?.on('message', (name: string | null) => {
  const model = name === null ? undefined : findModel(name)
  if (model === undefined) {
    parentPort?.close()
    return
  }
  const say = (message: ModelWorkerMessage): void => parentPort?.postMessage(message)
  const beganAt = performance.now()
  const guard = bug === undefined ? null : guardNamed(bug)
  const onDepth = (depth: number, states: number): void => say({ type: 'progress', model: model.name, depth, states })
  const result = new Search(model, { guard, onDepth }).run()
  say({ type: 'result', model: model.name, result, seconds: (performance.now() - beganAt) / 1_000 })
})
