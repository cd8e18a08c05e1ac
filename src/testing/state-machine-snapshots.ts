// The rules of StateMachine about snapshot and restore, one case each: a snapshot is the state of its call, whatever
// happens while it is pulled, and a restore is all or nothing.
import { type Replica, concat, expectChunk, textOf } from './state-machine-bench.js'
import { type Bench, rule, type StateMachineCase } from './state-machine-rule.js'
import type { StateMachine } from '../interfaces/state-machine.js'

type AnyReplica = Replica<unknown, StateMachine<unknown, unknown>>

const AS_OF_THE_CALL = 'snapshot streams the state as of the call; while the chunks are pulled, apply goes on'
const WHOLE = 'restore replaces the whole state'
const ALL_OR_NOTHING = 'when restore rejects, the old state is intact'

const snapshots: readonly StateMachineCase[] = [
  rule({
    name: 'taking snapshots changes nothing',
    contract: 'snapshot reads the state, and only that',
    input: (bench) => bench.log(),
    body: async (bench, log) => {
      const [replica, twin] = [bench.create(), bench.create()]
      for (const [at, command] of log.entries()) {
        await replica.snapshot()
        const results = [await replica.apply(command), await twin.apply(command)] as const
        bench.expectEqual(`the result of command ${at + 1} after a snapshot`, ...results)
      }
      await bench.expectSame('after a snapshot before each command', replica, { replica: twin })
    },
  }),
  rule({
    name: 'a snapshot holds the state of its call, whatever is applied while it is pulled',
    contract: `${AS_OF_THE_CALL}. The first chunk is pulled in the turn in which the iterable is had`,
    input: (bench) => bench.fc.record({ before: bench.log(), during: bench.log(6) }),
    body: async (bench, { before, during }) => {
      const replica = await bench.applied(before)
      const chunks = await snapshotWhileApplying(replica, during, () => {})
      const restored = bench.create()
      await restored.restore(streamOf(chunks), before.length)
      const straight = await bench.applied(before)
      const what = 'what was restored from a snapshot during which commands were applied'
      await bench.expectSame(what, restored, { replica: straight, next: during })
      await bench.expectSame('the state machine itself after that snapshot', replica, { replica: straight })
    },
  }),
  rule({
    name: 'a chunk is a Uint8Array that is not touched any more once it is handed out',
    contract: 'the chunks of a snapshot are written to a store and sent to others later than the next one is pulled',
    input: (bench) => bench.fc.record({ before: bench.log(), during: bench.log(6) }),
    body: async (bench, { before, during }) => {
      const given: { readonly chunk: Uint8Array; readonly copy: Uint8Array }[] = []
      const replica = await bench.applied(before)
      await snapshotWhileApplying(replica, during, (chunk) => given.push({ chunk, copy: chunk.slice() }))
      given.forEach(({ chunk, copy }, at) => {
        bench.expectEqual(`chunk ${at + 1}, looked at when the snapshot was over,`, chunk.slice(), copy)
      })
    },
  }),
  rule({
    name: 'a snapshot that is given up leaves everything as it was',
    contract: 'a snapshot may be given up at any chunk: its signal is aborted and `return` of its iterator is called',
    input: (bench) => bench.fc.record({ log: bench.log(), pulls: bench.fc.nat(3), next: bench.log(4) }),
    body: async (bench, { log, pulls, next }) => {
      const replica = await bench.applied(log)
      const controller = new AbortController()
      const { iterator, first } = await replica.beginSnapshot(controller.signal)
      let pulled = await first
      for (let count = 0; count < pulls && pulled.done !== true; count++) pulled = await iterator.next()
      controller.abort()
      await iterator.return?.()
      // Before anything looks at the state: that may be a snapshot, which would end what the other one began.
      const twin = await bench.applied(log)
      const results = [await replica.applyAll(next), await twin.applyAll(next)] as const
      bench.expectEqual('after a snapshot was given up: the list of results of what followed', ...results)
      await bench.expectSame('after a snapshot was given up', replica, { replica: twin })
    },
  }),
]

const restores: readonly StateMachineCase[] = [
  rule({
    name: 'restoring a snapshot of any moment gives the state of that moment, and goes on alike',
    contract: WHOLE,
    input: (bench) => bench.fc.record({ before: bench.log(), after: bench.log() }),
    body: async (bench, { before, after }) => {
      const restored = await restoredFrom(bench, before)
      const straight = await bench.applied(before)
      await bench.expectSame('the restored state machine', restored, { replica: straight, next: after })
    },
  }),
  rule({
    name: 'restore takes its bytes in chunks of any size',
    contract: 'the chunks of a restore are cut anew by stores and transports: only their bytes in a row are the same',
    input: (bench) => {
      const sizes = bench.fc.array(bench.fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
      return bench.fc.record({ log: bench.log(), sizes })
    },
    body: async (bench, { log, sizes }) => {
      const straight = await bench.applied(log)
      const restored = bench.create()
      await restored.restore(streamOf(cut(concat(await straight.snapshot()), sizes)), log.length)
      await bench.expectSame(`what was restored from chunks of ${sizes.join(', ')} bytes`, restored, {
        replica: straight,
      })
    },
  }),
  rule({
    name: 'restore replaces what was there before',
    contract: WHOLE,
    input: (bench) => bench.fc.record({ old: bench.log(), log: bench.log(), next: bench.log(4) }),
    body: async (bench, { old, log, next }) => {
      const restored = await restoredFrom(bench, log, await bench.applied(old))
      const straight = await bench.applied(log)
      await bench.expectSame('what was restored over another state', restored, { replica: straight, next })
    },
  }),
  rule({
    name: 'a restore whose chunks fail half way rejects and leaves the state as it was',
    contract: ALL_OR_NOTHING,
    input: arbBrokenRestore,
    body: async (bench, { old, log, share, next }) => {
      const replica = await bench.applied(old)
      const source = await bench.applied(log)
      const stream = new BrokenStream(part(concat(await source.snapshot()), share), new Error('the stream broke'))
      const error = await rejectionOf(replica.restore(stream.chunks(), log.length))
      // A restore that has all it needs may end without a look at what comes behind.
      if (error === null && !stream.hasThrown) return
      if (error === null) throw new Error('restore resolved although its chunks failed')
      await bench.expectSame('after a restore that rejected', replica, { replica: await bench.applied(old), next })
    },
  }),
  rule({
    name: 'a restore that rejects a stream that ends too early leaves the state as it was',
    contract: ALL_OR_NOTHING,
    input: arbBrokenRestore,
    body: async (bench, { old, log, share, next }) => {
      const replica = await bench.applied(old)
      const source = await bench.applied(log)
      const stream = new BrokenStream(part(concat(await source.snapshot()), share), null)
      // Bytes that end early may be a state of their own: nobody can tell, and the stores check the length.
      if ((await rejectionOf(replica.restore(stream.chunks(), log.length))) === null) return
      await bench.expectSame('after a restore that rejected', replica, { replica: await bench.applied(old), next })
    },
  }),
  rule({
    name: 'the snapshot of a new state machine can be restored',
    contract: WHOLE,
    input: (bench) => bench.fc.record({ old: bench.log(), next: bench.log(4) }),
    body: async (bench, { old, next }) => {
      const restored = await restoredFrom(bench, [], await bench.applied(old))
      await bench.expectSame('what was restored from an empty state', restored, { replica: bench.create(), next })
    },
  }),
]

/** Every rule about snapshots, the plain ones first: what breaks them often breaks the others too. */
export const SNAPSHOT_CASES: readonly StateMachineCase[] = [...restores, ...snapshots]

interface BrokenRestore {
  readonly old: readonly unknown[]
  readonly log: readonly unknown[]
  /** How much of the snapshot arrives, percent. */
  readonly share: number
  readonly next: readonly unknown[]
}

function arbBrokenRestore(bench: Bench): import('fast-check').Arbitrary<BrokenRestore> {
  const { fc } = bench
  return fc.record({ old: bench.log(), log: bench.log(), share: fc.nat(100), next: bench.log(4) })
}

/** Restores a snapshot of the state after `log`, on a new state machine or on `target`. */
async function restoredFrom(bench: Bench, log: readonly unknown[], target?: AnyReplica): Promise<AnyReplica> {
  const source = await bench.applied(log)
  const restored = target ?? bench.create()
  await restored.restore(streamOf(await source.snapshot()), log.length)
  return restored
}

/** One command is applied after each pull began and before it is awaited; what is left over, at the end. */
async function snapshotWhileApplying(
  replica: AnyReplica,
  commands: readonly unknown[],
  onChunk: (chunk: Uint8Array) => void,
): Promise<Uint8Array[]> {
  const rest = [...commands]
  const applyNext = async (): Promise<void> => {
    if (rest.length > 0) await replica.apply(rest.shift())
  }
  const { iterator, first } = await replica.beginSnapshot()
  const chunks: Uint8Array[] = []
  for (let pull = first; ; pull = iterator.next()) {
    await applyNext()
    const pulled = await pull
    if (pulled.done === true) break
    expectChunk(pulled.value)
    onChunk(pulled.value)
    chunks.push(pulled.value.slice())
    await applyNext()
  }
  await replica.applyAll(rest)
  return chunks
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk.slice()
}

/** Bytes in small chunks, and then an error or the end. */
class BrokenStream {
  hasThrown = false
  readonly #bytes: Uint8Array
  readonly #error: Error | null

  constructor(bytes: Uint8Array, error: Error | null) {
    this.#bytes = bytes
    this.#error = error
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    yield* streamOf(cut(this.#bytes, [3]))
    if (this.#error === null) return
    this.hasThrown = true
    throw this.#error
  }
}

function part(bytes: Uint8Array, share: number): Uint8Array {
  return bytes.slice(0, Math.floor((bytes.length * share) / 100))
}

/** The sizes in turn, again and again. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const size = sizes[chunks.length % sizes.length] ?? 1
    chunks.push(bytes.slice(offset, offset + size))
    offset += size
  }
  return chunks
}

/** Null when it resolves. */
async function rejectionOf(promise: Promise<unknown>): Promise<string | null> {
  return promise.then(
    () => null,
    (error: unknown) => textOf(error),
  )
}
