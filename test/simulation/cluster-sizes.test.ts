// The same few stories in clusters of three to seven (§5): somebody wins, the leader dies, a quorum is missing, a part is
// cut off, links come and go.
import { describe, expect, it } from 'vitest'
import { ELECTION_TIMEOUT_MS, type Process, Stage } from './stage.js'

const SIZES = [3, 4, 5, 6, 7]

/** The processes that are neither `leader` nor crashed, as many as asked. */
function othersThan(stage: Stage, leader: Process, count: number): readonly Process[] {
  return stage.cluster.processes.filter(({ id, isUp }) => id !== leader.id && isUp).slice(0, count)
}

async function started(size: number): Promise<{ stage: Stage; leader: Process }> {
  const stage = new Stage(size, BigInt(size))
  stage.cluster.startAll()
  const leader = await stage.leader()
  return { stage, leader }
}

describe.each(SIZES)('a cluster of %i', (size) => {
  it('elects one leader, whom all follow', async () => {
    const { stage, leader } = await started(size)
    await stage.run(2 * ELECTION_TIMEOUT_MS)
    expect(stage.cluster.leader?.id).toBe(leader.id)
    for (const { current } of stage.cluster.processes) expect(current?.node.status().leader?.id).toBe(leader.id)
  })

  it('elects another one when the leader dies', async () => {
    const { stage, leader } = await started(size)
    leader.crash()
    const next = await stage.leader(stage.ids.filter((id) => id !== leader.id))
    expect(Math.max(...stage.senders.keys())).toBeGreaterThan(Math.min(...stage.senders.keys()))
    leader.start()
    await stage.run(2 * ELECTION_TIMEOUT_MS)
    expect(stage.cluster.leader?.id).toBe(next.id)
  })

  it('elects nobody while less than a majority is up', async () => {
    const stage = new Stage(size, BigInt(size))
    const few = stage.cluster.processes.slice(0, Math.floor(size / 2))
    for (const process of few) process.start()
    await stage.run(40 * ELECTION_TIMEOUT_MS)
    expect(few.map(({ current }) => current?.witness.state?.role)).not.toContain('leader')
    expect(stage.senders.size).toBe(0)
  })

  it('brings entries to all', async () => {
    const { stage, leader } = await started(size)
    const commands = [await stage.commit(leader), await stage.commit(leader), await stage.commit(leader)]
    await stage.run(ELECTION_TIMEOUT_MS)
    for (const id of stage.ids) expect(stage.commands(id), id).toEqual(commands)
  })

  it('goes on when its leader dies, and again with as many down as a majority allows', async () => {
    const { stage, leader } = await started(size)
    const first = await stage.commit(leader)
    leader.crash()
    const alive = stage.ids.filter((id) => id !== leader.id)
    const next = await stage.leader(alive)
    for (const process of othersThan(stage, next, stage.minority - 1)) process.crash()
    const second = await stage.commit(await stage.leader(alive))
    expect(stage.commands(next.id).slice(-2)).toEqual([first, second])
    await stage.agree()
  })

  it('commits nothing without a quorum, and what it took either way ends alike everywhere', async () => {
    const { stage, leader } = await started(size)
    await stage.commit(leader)
    for (const process of othersThan(stage, leader, Math.ceil(size / 2))) process.crash()
    const { lastIndex } = stage.cluster.invariants.committed
    const command = stage.propose(leader)
    await stage.run(10 * ELECTION_TIMEOUT_MS)
    expect(stage.acknowledged).not.toContain(command)
    expect(stage.cluster.invariants.committed.lastIndex).toBe(lastIndex)
    expect(leader.current?.witness.state?.role).not.toBe('leader')
    await stage.agree()
  })

  it('commits nothing on the side of a cut that has no majority, and its leader yields', async () => {
    const { stage, leader } = await started(size)
    const company = othersThan(stage, leader, stage.minority - 1).map(({ id }) => id)
    const side = [leader.id, ...company]
    const others = stage.ids.filter((id) => !side.includes(id))
    stage.cluster.inject({ type: 'partition', groups: [side, others] })
    const command = stage.propose(leader)
    const next = await stage.leader(others)
    const won = await stage.commit(next)
    await stage.run(2 * ELECTION_TIMEOUT_MS)
    expect(leader.current?.witness.state?.role).not.toBe('leader')
    expect(stage.acknowledged).not.toContain(command)
    await stage.agree()
    expect(stage.commands(leader.id)).toContain(won)
    expect(stage.commands(leader.id)).not.toContain(command)
  })

  it('makes progress while links go and come', async () => {
    const { stage } = await started(size)
    for (let round = 0; round < 8; round++) {
      const [from = '', to = ''] = stage.random.shuffle(stage.ids)
      stage.cluster.inject({ type: 'cut', from, to })
      if (stage.random.chance(0.5)) stage.cluster.inject({ type: 'cut', from: to, to: from })
      await stage.run(stage.random.integer(1, 2 * ELECTION_TIMEOUT_MS))
      stage.cluster.inject({ type: 'heal' })
      await stage.commit(await stage.leader())
    }
    await stage.agree()
    expect(stage.acknowledged.length).toBe(9)
  })
})
