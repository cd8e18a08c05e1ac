// testSnapshotStore: the contract of SnapshotStore as a published conformance suite (F35, F45). The rules are in
// snapshot-store-cases.ts; needs no test library. Never looks behind the interface.
import type { SnapshotStore } from '../interfaces/snapshot-store.js'
import { type Run, runCases, checkSuite, type StoreFactory } from './conformance.js'
import { SnapshotBench } from './snapshot-bench.js'
import { SNAPSHOT_STORE_CASES } from './snapshot-store-cases.js'

/**
 * Tests a SnapshotStore of your own against the contract that RaftNode relies on: one test for each rule.
 *
 * @param factory - makes the factory of one case; nothing is shared between cases
 * @param run - `test` of vitest or node:test; without it all cases run at once and the promise rejects on the first failure, which names the case
 * @example testSnapshotStore(() => { const store = new MyStore(); return { create: async () => store, reopen: async () => store } }, test)
 */
export async function testSnapshotStore(factory: () => StoreFactory<SnapshotStore>, run?: Run): Promise<void> {
  checkSuite(factory, run)
  await runCases({
    title: 'SnapshotStore',
    cases: SNAPSHOT_STORE_CASES,
    prepare: () => {
      const bench = new SnapshotBench(factory())
      return { subject: bench, finish: () => bench.finish() }
    },
    run,
  })
}
