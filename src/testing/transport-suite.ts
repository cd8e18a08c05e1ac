// testTransport: the contract of Transport as a published conformance suite (F45, F50). Needs no test library, never
// looks behind the interface, and doesn't take the loss of a message for a fault: it sends again.
import { type Run, runCases, checkSuite } from './conformance.js'
import { TransportBench, type TransportFactory } from './transport-bench.js'
import { TRANSPORT_MESSAGE_CASES } from './transport-cases.js'
import { TRANSPORT_LIFE_CASES } from './transport-life-cases.js'

/**
 * Tests a Transport of your own against the contract that RaftNode relies on: one test for each rule.
 *
 * @param factory - called once for each case; nothing is shared between cases
 * @param run - `test` of vitest or node:test; without it all cases run at once and the promise rejects on the first failure, which names the case
 * @example testTransport(async () => ({ transport: async (id) => ({ transport: new MyTransport(id), address: id }) }), test)
 */
export async function testTransport(factory: () => Promise<TransportFactory>, run?: Run): Promise<void> {
  checkSuite(factory, run)
  await runCases({
    title: 'Transport',
    cases: [...TRANSPORT_MESSAGE_CASES, ...TRANSPORT_LIFE_CASES],
    prepare: () => {
      const bench = new TransportBench(factory())
      return { subject: bench, finish: () => bench.finish() }
    },
    run,
  })
}
