// Leaders that are cut off again and again, with and without company (§5.2, §5.4; figure 3): whatever they took meanwhile,
// at the end there is one log, one order and one sender of appends a term.
import { describe, expect, it } from 'vitest'
import { ELECTION_TIMEOUT_MS, Stage } from './stage.js'

describe('a cluster of five whose leader is cut off again and again', () => {
  it.each([1n, 2n, 3n, 4n])('ends with one log, one order of commands and one sender a term: seed %i', async (seed) => {
    const stage = new Stage(5, seed)
    const { cluster, random } = stage
    cluster.startAll()
    for (let round = 0; round < 6; round++) {
      const old = await stage.leader()
      const company = random.shuffle(stage.ids.filter((id) => id !== old.id)).slice(0, random.integer(0, 1))
      const others = stage.ids.filter((id) => id !== old.id && !company.includes(id))
      for (let count = 0; count < 5; count++) stage.propose(old)
      await stage.run(random.integer(0, 20))
      cluster.inject({ type: 'partition', groups: [[old.id, ...company], others] })
      // The old leader takes what it can't commit; the new one goes on.
      for (let count = 0; count < 5; count++) stage.propose(old)
      await stage.run(random.integer(1, ELECTION_TIMEOUT_MS))
      await stage.commit(await stage.leader(others))
      cluster.inject({ type: 'heal' })
      await stage.run(random.integer(0, 2 * ELECTION_TIMEOUT_MS))
    }
    await stage.agree()
    expect(stage.senders.size).toBeGreaterThan(6)
    for (const [term, senders] of stage.senders) expect([...senders], `term ${term}, seed ${seed}`).toHaveLength(1)
    expect(stage.acknowledged.length).toBeGreaterThanOrEqual(7)
  })
})

describe('a cluster of five without faults', () => {
  it.each([1n, 2n])('elects once and applies everything everywhere: seed %i', async (seed) => {
    const stage = new Stage(5, seed)
    stage.cluster.startAll()
    const leader = await stage.leader()
    const term = leader.current?.witness.state?.currentTerm
    for (let round = 0; round < 25; round++) {
      for (const process of stage.cluster.processes) stage.propose(process)
      await stage.run(stage.random.integer(1, 60))
    }
    await stage.agree()
    expect(stage.acknowledged).toHaveLength(126)
    expect([...stage.senders.keys()], `seed ${seed}`).toEqual([term])
  })
})
