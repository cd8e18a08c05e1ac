// testLogStore: the contract of LogStore as a published conformance suite (F35, F45). Runs a store through the cases of
// log-store-cases.ts and log-store-random.ts; needs no test library. Never looks behind the interface.
import type { LogStore } from '../interfaces/log-store.js'
import { type Run, runCases, checkSuite, type StoreFactory } from './conformance.js'
import { LogBench } from './log-bench.js'
import { LOG_STORE_CASES } from './log-store-cases.js'
import { randomLogCase } from './log-store-random.js'

/**
 * Tests a LogStore of your own against the contract that RaftNode relies on: one test for each rule, and a random
 * sequence of calls beside a model.
 *
 * @param factory - makes the factory of one case; nothing is shared between cases
 * @param run - `test` of vitest or node:test; without it all cases run at once and the promise rejects on the first failure, which names the case
 * @param options.seed - of the random case; a failure prints it. @defaultValue random
 * @example testLogStore(() => { const store = new MyStore(); return { create: async () => store, reopen: async () => store } }, test)
 */
export async function testLogStore(
  factory: () => StoreFactory<LogStore>,
  run?: Run,
  options: { readonly seed?: number | undefined } = {},
): Promise<void> {
  checkSuite(factory, run)
  await runCases({
    title: 'LogStore',
    cases: [...LOG_STORE_CASES, randomLogCase(options.seed)],
    prepare: () => {
      const bench = new LogBench(factory())
      return { subject: bench, finish: () => bench.finish() }
    },
    run,
  })
}
