// A process that dies in place of its n-th message or write, for every n there is: what it had promised by then holds, and
// what it had not is nowhere. Random crashes rarely hit the one moment that matters (H1, H26, H80).
import type { StateMachine } from 'helios-raft'
import { simulate, SimulatedCluster, type WorkloadStep } from 'helios-raft/testing'
import { describe, expect, it } from 'vitest'
import { Counter as SnapshotCounter } from '../support/counter.js'

class Counter implements StateMachine<number, number> {
  sum = 0
  readonly apply = (add: number): number => (this.sum += add)
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(String(this.sum))
  }
  async restore(): Promise<void> {
    throw new Error('no snapshot is taken in these runs')
  }
}

const workload = Array.from({ length: 5 }, (_, at): WorkloadStep<number> => {
  return { atMs: 400 + at * 30, client: at, on: 'any', action: { type: 'propose', command: 10 ** at } }
})

const options = { electionTimeoutMs: 150, heartbeatIntervalMs: 50 }

/** Dies in place of the effect that follows the first `afterEffects`; whether it came so far. */
async function runTo(afterEffects: number, voters: number): Promise<boolean> {
  const faults = [
    { atMs: 0, type: 'crash', node: 'n1', afterEffects },
    { atMs: 700, type: 'restart', node: 'n1' },
  ] as const
  const cluster = { voters, options }
  const report = await simulate({ stateMachine: () => new Counter(), workload, faults: { faults }, cluster, seed: 4 })
  expect(new Set([...report.stateMachines.values()].map(({ sum }) => sum)).size).toBe(1)
  return (report.coverage['point.crashedAtEffect'] ?? 0) > 0
}

describe('a process that dies between two effects', () => {
  it.each([
    [1, 4],
    [3, 20],
  ])(
    'of %d voters, at each of them, leaves no promise broken',
    async (voters, least) => {
      let effects = 0
      while (await runTo(effects, voters)) effects += 1
      // Else the deaths were over before anything had happened.
      expect(effects).toBeGreaterThan(least)
    },
    120_000,
  )

  it.each([1, 3])(
    'of %d voters that save snapshots and compact their logs, comes back with all that was acknowledged',
    async (voters) => {
      const often = { ...options, snapshot: { everyEntries: 2, trailingEntries: 0 } }
      const counts: Record<string, number> = {}
      let effects = 0
      for (; ; effects += 1) {
        const faults = [
          { atMs: 350, type: 'crash', node: 'n1', afterEffects: effects },
          { atMs: 1_000, type: 'restart', node: 'n1' },
        ] as const
        const stateMachine = () => new SnapshotCounter()
        const { coverage, stateMachines } = await simulate({
          stateMachine,
          workload,
          faults: { faults },
          cluster: { voters, options: often },
          seed: 4,
        })
        expect(new Set([...stateMachines.values()].map(({ total }) => total)).size).toBe(1)
        for (const [name, count] of Object.entries(coverage)) counts[name] = (counts[name] ?? 0) + count
        if ((coverage['point.crashedAtEffect'] ?? 0) === 0) break
      }
      expect(effects).toBeGreaterThan(voters === 1 ? 10 : 20)
      for (const name of ['point.snapshot', 'point.compaction']) expect(counts[name], name).toBeGreaterThan(effects)
    },
    120_000,
  )

  it.each([1, 3])(
    'of %d voters that are being founded, leaves a cluster that is founded all the same',
    async (voters) => {
      let effects = 0
      for (; ; effects += 1) {
        await using simulated = new SimulatedCluster<number, number>({
          stateMachine: () => new Counter(),
          cluster: { voters, options },
          seed: 4,
        })
        await simulated.inject({ type: 'crash', node: 'n1', afterEffects: effects })
        await simulated.advance(700)
        // It came through all that founding asks of it, and has the rest of its effects before it.
        if (simulated.nodes.has('n1')) break
        await simulated.inject({ type: 'restart', node: 'n1' })
        await simulated.advance(3_000)
        await simulated.settle(simulated.leader!.propose(1))
        expect(simulated.leader!.status().configuration.members.map(({ suffrage }) => suffrage)).toEqual(
          Array.from({ length: voters }, () => 'voter'),
        )
      }
      expect(effects).toBeGreaterThan(voters === 1 ? 3 : 12)
    },
  )
})
