// Timings that change while a cluster runs (F43), before the simulator's judge: with the order that the documentation asks for
// nobody loses a leader that lives; in any order, and beside crashes and partitions, nothing is lost.
import { expect, describe, it } from 'vitest'
import { presets } from 'helios-raft'
import { replay } from '../../src/testing/trace/replay.js'
import { traceHeader } from '../../src/testing/trace/format.js'
import { TraceWriter } from '../../src/testing/trace/trace-writer.js'
import { type Process, Stage } from './stage.js'

type Changes = Parameters<NonNullable<Process['current']>['node']['reconfigure']>[0]

const TO_WAN: readonly Changes[] = [{ electionTimeoutMs: presets.wan.electionTimeoutMs }, presets.wan]
const TO_LAN: readonly Changes[] = [{ heartbeatIntervalMs: presets.lan.heartbeatIntervalMs }, presets.lan]

/** Each node is given each step in turn, under writes. */
async function changeAll(stage: Stage, steps: readonly Changes[]): Promise<void> {
  for (const changes of steps) {
    for (const process of stage.cluster.processes) {
      process.current?.node.reconfigure(changes)
      stage.propose(await stage.leader())
      await stage.run(stage.random.between(1, 400))
    }
  }
}

describe('timings that change', () => {
  it('from those of one data centre to those of several and back cost no election, in the order that is told', async () => {
    for (let seed = 1n; seed <= 4n; seed++) {
      const stage = new Stage(3, seed)
      stage.cluster.startAll()
      const leader = await stage.leader()
      const term = leader.current?.node.status().currentTerm
      await changeAll(stage, TO_WAN)
      await stage.run(5_000)
      await changeAll(stage, TO_LAN)
      await stage.run(5_000)
      expect((await stage.leader()).current?.node.status(), `seed ${seed}`).toMatchObject({
        id: leader.id,
        currentTerm: term,
      })
      await stage.agree()
    }
  }, 60_000)

  it('in any order, on some nodes only, while leaders crash and links break, lose nothing', async () => {
    let elections = 0
    for (let seed = 1n; seed <= 12n; seed++) {
      const stage = new Stage(seed % 2n === 0n ? 3 : 5, seed)
      stage.cluster.startAll()
      await stage.leader()
      for (let round = 0; round < 12; round++) {
        const process = stage.random.pick(stage.cluster.processes)
        process.current?.node.reconfigure(stage.random.pick([...TO_WAN, ...TO_LAN]))
        const { leader } = stage.cluster
        for (let count = 0; leader !== null && count < 3; count++) stage.propose(leader)
        const fault = round % 3
        const others = stage.ids.filter((id) => id !== leader?.id)
        if (leader !== null && fault === 1) stage.cluster.inject({ type: 'crash', node: leader.id })
        if (leader !== null && fault === 2) stage.cluster.inject({ type: 'partition', groups: [[leader.id], others] })
        await stage.run(stage.random.between(50, 1_500))
        if (leader !== null && fault === 1) stage.cluster.inject({ type: 'restart', node: leader.id })
        stage.cluster.inject({ type: 'heal' })
      }
      for (const { current } of stage.cluster.processes) current?.node.reconfigure(presets.lan)
      await stage.run(3_000)
      await stage.agree()
      elections += stage.senders.size
    }
    expect(elections).toBeGreaterThan(24)
  }, 120_000)

  it('stand in the trace, and a replay follows them', async () => {
    const lines: string[] = []
    const header = traceHeader({ source: 'sim', seed: '7', bug: null, cluster: null, epochMs: 0 })
    const stage = new Stage(3, 7n, new TraceWriter((line) => lines.push(line), header))
    stage.cluster.startAll()
    await stage.leader()
    await changeAll(stage, [...TO_WAN, ...TO_LAN])
    await stage.run(1_000)
    stage.cluster.trace.writer?.end(stage.cluster.nowMs, { violation: null, traceHash: '' })
    const changed = lines.findIndex((line) => line.includes('"step":"reconfigure"'))
    expect(changed).toBeGreaterThan(0)
    expect((await replay(lines.join('\n'))).divergedAt).toBeNull()
    // One that took no notice would be another core from there on.
    const kept = lines.with(
      changed,
      lines[changed]?.replace('"electionTimeoutMs":1000', '"electionTimeoutMs":150') ?? '',
    )
    expect((await replay(kept.join('\n'))).divergedAt).toBeGreaterThanOrEqual(changed + 1)
  }, 60_000)
})
