// A thread of `npm run bugs`: takes one seed of one bug after the other, and ends when it is told.
import { parentPort } from 'node:worker_threads'
import { runSeedGuarded } from '../guarded-run.js'
import type { Finding } from './hunt-plan.js'
import { BUGS } from './index.js'

export interface HuntOrder {
  readonly bug: string
  readonly seed: bigint
}

export type HuntAnswer = Finding

parentPort?.on('message', (order: HuntOrder | null) => {
  if (order === null) {
    parentPort?.close()
    return
  }
  const { bug, seed } = order
  void runSeedGuarded(seed, { bug, profile: BUGS[bug]?.profile }).then(({ violation, check }) => {
    const answer: HuntAnswer = { violation, check }
    parentPort?.postMessage(answer)
  })
})
