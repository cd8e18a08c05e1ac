import { describe, expect, it, test } from 'vitest'
import type { SnapshotStore } from '../../../src/interfaces/snapshot-store.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { metaAt, collect } from '../../../src/testing/snapshot-bench.js'
import { testSnapshotStore } from '../../../src/testing/snapshot-store-suite.js'
import { Timeline } from '../../../src/testing/timeline.js'
import { type DiskHit, VirtualDisk } from '../../../src/testing/virtual-disk.js'

/** A disk whose time goes on by itself: what a store promises comes from its timeline. */
class Lab {
  readonly timeline = new Timeline()
  readonly misuses: string[] = []
  readonly hits: DiskHit[] = []
  readonly disk: VirtualDisk
  gate = new ProcessGate(this.timeline)
  #isOver = false

  constructor(seed = 1n) {
    this.disk = new VirtualDisk({
      timeline: this.timeline,
      random: new SimulationRandom(seed),
      watch: {
        onMisuse: (problem) => void this.misuses.push(problem),
        onHit: (hit) => void this.hits.push(hit),
      },
    })
    const turn = (): void => {
      while (this.timeline.step(Number.POSITIVE_INFINITY));
      if (!this.#isOver) setImmediate(turn)
    }
    turn()
  }

  attach(): SnapshotStore {
    return this.disk.attachSnapshots(this.gate)
  }

  crash(): SnapshotStore {
    this.gate.kill()
    this.disk.crash()
    this.gate = new ProcessGate(this.timeline)
    return this.attach()
  }

  end(): void {
    this.#isOver = true
  }
}

const NOTHING: AsyncIterable<Uint8Array> = (async function* () {})()

async function commit(store: SnapshotStore, index: number): Promise<void> {
  const sink = await store.create(metaAt(index))
  await sink.write(Uint8Array.of(index))
  await sink.commit()
}

async function latestIndex(store: SnapshotStore): Promise<number> {
  return (await store.latest())?.meta.lastIncludedIndex ?? 0
}

describe('the snapshot store of a simulated disk', () => {
  void testSnapshotStore(() => {
    const lab = new Lab()
    return {
      create: async () => lab.attach(),
      reopen: async () => lab.attach(),
      crash: async () => void lab.crash(),
      destroy: async () => lab.end(),
    }
  }, test)
})

describe('VirtualSnapshots', () => {
  it('has a commit under way happen or not when the machine stops, and whole either way (H53)', async () => {
    const found = new Set<number>()
    for (let seed = 1n; seed <= 20n; seed++) {
      const lab = new Lab(seed)
      const store = lab.attach()
      await commit(store, 5)
      const sink = await store.create(metaAt(9))
      await sink.write(Uint8Array.of(9))
      void sink.commit()
      const next = lab.crash()
      const latest = await next.latest()
      const index = latest?.meta.lastIncludedIndex ?? 0
      found.add(index)
      expect(latest === null ? null : await collect(latest.read())).toEqual(Uint8Array.of(index))
      lab.end()
    }
    expect([...found].sort()).toEqual([5, 9])
  })

  it('fails a commit that the disk fails, and keeps it or not', async () => {
    const found = new Set<number>()
    for (let seed = 1n; seed <= 20n; seed++) {
      const lab = new Lab(seed)
      const store = lab.attach()
      await commit(store, 5)
      const sink = await store.create(metaAt(9))
      lab.disk.failNextWrite()
      await expect(sink.commit()).rejects.toMatchObject({ code: 'RAFT_STORAGE' })
      expect(lab.hits).toEqual(['failedSnapshot'])
      found.add(await latestIndex(store))
      lab.end()
    }
    expect([...found].sort()).toEqual([5, 9])
  })

  it('takes nothing while the disk is full, and ends nothing while it hangs', async () => {
    const lab = new Lab()
    const store = lab.attach()
    const sink = await store.create(metaAt(5))
    lab.disk.fill()
    await expect(sink.write(Uint8Array.of(1))).rejects.toThrow(/ENOSPC/)
    lab.disk.free()
    lab.disk.hang()
    let isWritten = false
    void sink.write(Uint8Array.of(2)).then(() => {
      isWritten = true
    })
    while (lab.hits.length < 2) await new Promise((resolve) => setImmediate(resolve))
    expect(lab.hits).toEqual(['failedSnapshot', 'hungSnapshot'])
    expect(isWritten).toBe(false)
    const next = lab.crash()
    expect(await latestIndex(next)).toBe(0)
    await commit(next, 6)
    expect(await latestIndex(next)).toBe(6)
    lab.end()
  })

  it('says that a rotten snapshot is damaged, at its head or behind, until there is a newer one (F30)', async () => {
    const places = new Set<string>()
    for (let seed = 1n; seed <= 20n; seed++) {
      const lab = new Lab(seed)
      const store = lab.attach()
      await commit(store, 5)
      expect(lab.disk.snapshots.rot()).toBe(true)
      expect(lab.disk.isRotten).toBe(true)
      const reading = store.latest().then(
        (snapshot) =>
          collect(snapshot?.read() ?? NOTHING).then(
            () => 'nowhere',
            () => 'behind',
          ),
        () => 'head',
      )
      places.add(await reading)
      expect(lab.disk.snapshots.isDamageFound).toBe(true)
      await commit(store, 6)
      expect(lab.disk.isRotten).toBe(false)
      expect(await collect((await store.latest())?.read() ?? NOTHING)).toEqual(Uint8Array.of(6))
      lab.end()
    }
    expect([...places].sort()).toEqual(['behind', 'head'])
  })

  it('names a second local sink as a misuse (H56)', async () => {
    const lab = new Lab()
    const store = lab.attach()
    await store.create(metaAt(5))
    await expect(store.create(metaAt(6))).rejects.toMatchObject({ code: 'RAFT_INVARIANT' })
    expect(lab.misuses).toHaveLength(1)
    lab.end()
  })
})
