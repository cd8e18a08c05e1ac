// Objects of the application that behave badly where the node looks at them: they end their own call, or the node with
// the right word, and never leave anything waiting (H101, H130).
import { recoverCluster, restoreBackup } from 'helios-raft'
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, errorOf, TestCluster } from './harness.js'

let cluster: TestCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

describe('a query', () => {
  test('whose promise throws when it is asked rejects its read, and applying goes on (H130)', async () => {
    cluster = await new TestCluster().start()
    const { leader } = cluster
    const value = {
      then(): never {
        throw new Error('no then today')
      },
    }
    const error = await errorOf(cluster.settled(leader.read(() => value as unknown as Promise<number>)))
    expect(error.message).toBe('no then today')
    expect(await cluster.settled(leader.propose(bytes(1)))).toMatchObject({ result: 1 })
  })

  test('whose value throws when it is looked at rejects its read, and the node goes on', async () => {
    cluster = await new TestCluster().start()
    const { leader } = cluster
    const value = {
      get then(): never {
        throw new Error('not to be looked at')
      },
    }
    const error = await errorOf(cluster.settled(leader.read(() => value as unknown)))
    expect(error.message).toBe('not to be looked at')
    expect(await cluster.settled(leader.propose(bytes(1)))).toMatchObject({ result: 1 })
  })
})

describe('a result of apply', () => {
  test('that throws when it is looked at stops the node as an error of the state machine (F31, H75)', async () => {
    cluster = await new TestCluster({ ids: ['a'] }).start()
    const { leader } = cluster
    const result = {
      get then(): never {
        throw new Error('not to be looked at')
      },
    }
    const machine = cluster.machine('a')
    Object.defineProperty(machine, 'apply', { value: () => result })
    let failure: { code: string } | null = null
    leader.on('fatal', (error) => (failure = error))
    const error = await errorOf(cluster.settled(leader.propose(bytes(1))))
    expect(error).toMatchObject({ code: 'RAFT_STOPPED', outcome: 'unknown' })
    expect(failure).toMatchObject({ code: 'RAFT_STATE_MACHINE' })
  })
})

describe('a call with something else than it takes', () => {
  test('is refused by a word that says what it takes, and leaves nothing waiting', async () => {
    cluster = await new TestCluster({ ids: ['a'] }).start()
    const { leader } = cluster
    const wrong = (value: unknown) => value as never
    for (const value of [undefined, null, 'x', {}]) {
      await expect(leader.waitFor(wrong(value))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    for (const value of [null, 0, 'ab', { length: 1 }]) {
      await expect(leader.proposeMany(wrong(value))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    for (const options of [null, [], { signal: null }, { signal: 'x' }]) {
      await expect(leader.propose(bytes(1), wrong(options))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
      await expect(leader.removeMember('b', wrong(options))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
      await expect(leader.takeSnapshot(wrong(options))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    await expect(leader.stop(wrong([]))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    for (const options of [null, undefined, [], 1]) {
      await expect(recoverCluster(wrong(options))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
      await expect(restoreBackup(wrong(options))).rejects.toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    }
    expect(leader.status().pendingProposals).toBe(0)
    expect(await cluster.settled(leader.propose(bytes(1)))).toMatchObject({ result: 1 })
  })
})
