// The published store suites have teeth: each defect below, a small change of a good store, is found by a case; and
// they run without any test library.
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../../src/core/types.js'
import type { LogStore, LogWrite, RestoredLog } from '../../../src/interfaces/log-store.js'
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../../../src/interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../../../src/interfaces/state-machine.js'
import { MemoryLogStore, MemorySnapshotStore } from '../../../src/stores/memory/index.js'
import { testLogStore } from '../../../src/testing/log-store-suite.js'
import { testSnapshotStore } from '../../../src/testing/snapshot-store-suite.js'

const logFactory = (store: LogStore) => () => ({ create: async () => store, reopen: async () => store })
const freshLogs = (make: () => LogStore) => () => logFactory(make())()
const freshSnapshots = (make: () => SnapshotStore) => () => {
  const store = make()
  return { create: async () => store, reopen: async () => store }
}
const message = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'resolved',
    (error: unknown) => String(error),
  )

/** A good log store whose calls a defect may change. */
class Changed implements LogStore {
  protected readonly inner = new MemoryLogStore()
  open(): Promise<RestoredLog> {
    return this.inner.open()
  }
  write(batch: LogWrite): Promise<void> {
    return this.inner.write(batch)
  }
  read(first: number, last: number, maxBytes: number): Promise<readonly LogEntry[]> {
    return this.inner.read(first, last, maxBytes)
  }
  compact(index: number): Promise<void> {
    return this.inner.compact(index)
  }
  close(): Promise<void> {
    return this.inner.close()
  }
}

class ForgetsVote extends Changed {
  override write({ hardState, ...batch }: LogWrite) {
    const forgotten = hardState === undefined ? {} : { hardState: { ...hardState, votedFor: null } }
    return super.write({ ...batch, ...forgotten })
  }
}
class ForgetsIdentity extends Changed {
  override async open() {
    return { ...(await super.open()), identity: null }
  }
}
class OpensTwice extends Changed {
  #restored: Promise<RestoredLog> | null = null
  override open() {
    this.#restored ??= super.open()
    return this.#restored
  }
  override close() {
    this.#restored = null
    return super.close()
  }
}
class NeverTruncates extends Changed {
  override async write(batch: LogWrite) {
    const [first] = batch.entries ?? []
    const suffix = first === undefined ? [] : await this.inner.read(first.index, 1e9, Number.MAX_SAFE_INTEGER)
    const stale = suffix.slice(batch.entries?.length ?? 0)
    const term = batch.entries?.at(-1)?.term ?? 0
    await super.write({ ...batch, entries: [...(batch.entries ?? []), ...stale.map((entry) => ({ ...entry, term }))] })
  }
}
class NeverCompacts extends Changed {
  override async compact() {}
}
class CompactsAgain extends Changed {
  #highest = 0
  override async compact(index: number) {
    this.#highest = Math.max(this.#highest + 1, index)
    await super.compact(this.#highest)
  }
}
class ReadsAhead extends Changed {
  override async read(first: number, last: number, maxBytes: number) {
    const { firstIndex } = await this.bounds()
    return await super.read(Math.max(first, firstIndex), last, maxBytes)
  }
  async bounds() {
    await this.inner.close()
    return await this.inner.open()
  }
}
class IgnoresMaxBytes extends Changed {
  override read(first: number, last: number) {
    return super.read(first, last, Number.MAX_SAFE_INTEGER)
  }
}
class ReadsNothingTooLarge extends Changed {
  override async read(first: number, last: number, maxBytes: number) {
    const found = await super.read(first, last, maxBytes)
    return found[0] !== undefined && found[0].data.byteLength > maxBytes ? [] : found
  }
}
class ReadsOneAtATime extends Changed {
  override read(first: number, last: number, maxBytes: number) {
    return super.read(first, Math.min(last, first), maxBytes)
  }
}
class LosesTypes extends Changed {
  override write(batch: LogWrite) {
    const { entries, ...rest } = batch
    const commands = entries?.map((entry): LogEntry => ({ ...entry, type: 'command' }))
    return super.write({ ...rest, ...(commands === undefined ? {} : { entries: commands }) })
  }
}
class RoundsTimestamps extends Changed {
  override async read(first: number, last: number, maxBytes: number) {
    const found = await super.read(first, last, maxBytes)
    return found.map((entry) => ({ ...entry, timestamp: Math.round(entry.timestamp) }))
  }
}
class CutsIndexes extends Changed {
  override async read(first: number, last: number, maxBytes: number) {
    const found = await super.read(first, last, maxBytes)
    return found.map((entry) => ({ ...entry, index: entry.index >>> 0 }))
  }
}
class TwoBatches extends Changed {
  override async write(batch: LogWrite) {
    const { entries, ...rest } = batch
    const [first] = entries ?? []
    if (first === undefined || entries === undefined) return await super.write(batch)
    await super.write({ ...rest, entries: [first] })
    await Promise.resolve()
    await super.write({ entries })
  }
}
class EntriesBeforeReset extends Changed {
  override async write(batch: LogWrite) {
    if (batch.resetTo === undefined || batch.entries === undefined) return await super.write(batch)
    await super.write({ ...batch, entries: [] })
  }
}
class KeepsMemory extends Changed {
  readonly #kept = new Map<number, LogEntry>()
  override async write(batch: LogWrite) {
    await super.write(batch)
    for (const entry of batch.entries ?? []) this.#kept.set(entry.index, entry)
  }
  override async read(first: number, last: number, maxBytes: number) {
    const found = await super.read(first, last, maxBytes)
    return found.map((entry) => ({ ...entry, data: this.#kept.get(entry.index)?.data ?? entry.data }))
  }
}
class ForgetsConfigurations extends Changed {
  override async open() {
    return { ...(await super.open()), configurations: [] }
  }
}
class StaleTermRuns extends Changed {
  override async open() {
    const restored = await super.open()
    return { ...restored, termRuns: restored.termRuns.slice(0, 1) }
  }
}

describe('testLogStore', () => {
  test('runs at once without a runner and accepts a good store', async () => {
    await testLogStore(freshLogs(() => new MemoryLogStore()))
  })

  test('declares every case to a runner, each with a factory of its own', async () => {
    const bodies: (() => Promise<void>)[] = []
    let factories = 0
    let destroyed = 0
    const factory = () => {
      factories++
      return { ...logFactory(new MemoryLogStore())(), destroy: async () => void destroyed++ }
    }
    const names: string[] = []
    await testLogStore(factory, (name, body) => {
      names.push(name)
      bodies.push(body)
    })
    expect(factories).toBe(0)
    for (const body of bodies) await body()
    expect(new Set(names).size).toBe(bodies.length)
    expect([factories, destroyed]).toEqual([bodies.length, bodies.length])
  })

  const defects = [
    ForgetsVote,
    ForgetsIdentity,
    OpensTwice,
    NeverTruncates,
    NeverCompacts,
    CompactsAgain,
    ReadsAhead,
    IgnoresMaxBytes,
    ReadsNothingTooLarge,
    ReadsOneAtATime,
    LosesTypes,
    RoundsTimestamps,
    CutsIndexes,
    TwoBatches,
    EntriesBeforeReset,
    KeepsMemory,
    ForgetsConfigurations,
    StaleTermRuns,
  ]
  test.each(defects.map((defect) => [defect.name, defect] as const))('finds a store that %s', async (_, Defect) => {
    const found = await message(testLogStore(freshLogs(() => new Defect())))
    expect(found).toMatch(/^Error: LogStore: .+: /)
  })

  test('the random case names its seed, and the same seed fails at the same step', async () => {
    const failures: string[] = []
    const run = async (seed?: number) => {
      const bodies: [string, () => Promise<void>][] = []
      await testLogStore(
        freshLogs(() => new StaleTermRuns()),
        (name, body) => bodies.push([name, body]),
        { seed },
      )
      const [, body] = bodies.find(([name]) => name.includes('random sequence')) ?? []
      failures.push(await message(body?.() ?? Promise.resolve()))
    }
    await run()
    const seed = Number(/\{ seed: (\d+) \}/.exec(failures[0] ?? '')?.[1])
    await run(seed)
    expect(failures[1]).toBe(failures[0])
    expect(failures[0]).toContain(`of seed ${seed}`)
  })
})

/** A good snapshot store whose calls a defect may change. */
class ChangedSnapshots implements SnapshotStore {
  protected readonly inner = new MemorySnapshotStore()
  create(
    meta: SnapshotMeta,
    source?: { readonly digest: Uint8Array; readonly sizeBytes: number },
  ): Promise<SnapshotSink> {
    return this.inner.create(meta, source)
  }
  latest(): Promise<StoredSnapshot | null> {
    return this.inner.latest()
  }
  close(): Promise<void> {
    return this.inner.close()
  }
}

class IgnoresDigest extends ChangedSnapshots {
  override create(meta: SnapshotMeta) {
    return super.create(meta)
  }
}
class LastCommitWins extends ChangedSnapshots {
  #last: StoredSnapshot | null = null
  override async create(meta: SnapshotMeta, source?: { readonly digest: Uint8Array; readonly sizeBytes: number }) {
    const sink = await super.create(meta, source)
    return changedSink(sink, async () => {
      this.#last = await sink.commit()
      return this.#last
    })
  }
  override async latest() {
    return this.#last
  }
}
class VisibleTooEarly extends ChangedSnapshots {
  override async create(meta: SnapshotMeta, source?: { readonly digest: Uint8Array; readonly sizeBytes: number }) {
    const early = await super.create(meta)
    await early.commit()
    return await super.create(meta, source)
  }
}
class ReadsFromTheStart extends ChangedSnapshots {
  override async create(meta: SnapshotMeta, source?: { readonly digest: Uint8Array; readonly sizeBytes: number }) {
    const sink = await super.create(meta, source)
    return changedSink(sink, async () => {
      const { meta: stored, sizeBytes, digest, read } = bind(await sink.commit())
      return { meta: stored, sizeBytes, digest, read: () => read() }
    })
  }
}
class LosesMembers extends ChangedSnapshots {
  override create(meta: SnapshotMeta, source?: { readonly digest: Uint8Array; readonly sizeBytes: number }) {
    return super.create({ ...meta, configuration: { ...meta.configuration, votersOutgoing: [] } }, source)
  }
}

const bind = (stored: StoredSnapshot) => ({
  meta: stored.meta,
  sizeBytes: stored.sizeBytes,
  digest: stored.digest,
  read: (fromOffset?: number) => stored.read(fromOffset),
})

function changedSink(sink: SnapshotSink, commit: () => Promise<StoredSnapshot>): SnapshotSink {
  return {
    get writtenBytes() {
      return sink.writtenBytes
    },
    write: (chunk) => sink.write(chunk),
    commit,
    abort: () => sink.abort(),
  }
}

describe('testSnapshotStore', () => {
  test('runs at once without a runner and accepts a good store', async () => {
    await testSnapshotStore(freshSnapshots(() => new MemorySnapshotStore()))
  })

  const defects = [IgnoresDigest, LastCommitWins, VisibleTooEarly, ReadsFromTheStart, LosesMembers]
  test.each(defects.map((defect) => [defect.name, defect] as const))('finds a store that %s', async (_, Defect) => {
    const found = await message(testSnapshotStore(freshSnapshots(() => new Defect())))
    expect(found).toMatch(/^Error: SnapshotStore: .+: /)
  })
})
