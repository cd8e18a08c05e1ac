// A store under contract: what a node must never do with it, and that everything else goes through unchanged.
import { MemoryLogStore } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { ContractedStore } from '../../../src/testing/store-contract.js'

const hardState = { currentTerm: 1, votedFor: null }

function contracted(): {
  store: ContractedStore
  inner: MemoryLogStore
  problems: string[]
  world: { isWriting: boolean }
} {
  const problems: string[] = []
  const inner = new MemoryLogStore()
  const world = { isWriting: false }
  const contract = { isWriting: () => world.isWriting, onMisuse: (problem: string) => void problems.push(problem) }
  return { store: new ContractedStore(inner, contract), inner, problems, world }
}

describe('a store under contract', () => {
  it('says nothing of a node that keeps to it, and answers what the store answers', async () => {
    const { store, problems } = contracted()
    await store.open()
    await store.write({ hardState })
    await store.compact(0)
    expect(await store.read(1, 1, 1_000)).toEqual([])
    await store.close()
    expect(problems).toEqual([])
  })

  it('tells of a write after one that failed (H78), and hands its error on', async () => {
    const { store, inner, problems } = contracted()
    await store.open()
    inner.write = () => Promise.reject(new Error('EIO'))
    await expect(store.write({ hardState })).rejects.toThrow('EIO')
    expect(problems).toEqual([])
    await expect(store.write({ hardState })).rejects.toThrow('EIO')
    expect(problems).toEqual(['write was called after a write had failed (H78)'])
  })

  it('tells of calls after close, and of a close during a write', async () => {
    const { store, problems, world } = contracted()
    await store.open()
    world.isWriting = true
    await store.close()
    await Promise.allSettled([store.read(1, 1, 1), store.compact(1), store.write({ hardState })])
    expect(problems).toEqual([
      'close was called during a write',
      'read was called after close',
      'compact was called after close',
      'write was called after close',
    ])
  })
})
