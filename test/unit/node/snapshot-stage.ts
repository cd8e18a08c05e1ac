// One voter over stores that outlive it, with a state machine whose snapshots a test holds in its hand.
import { founded } from '../../support/founded.js'
import {
  bytesCodec,
  type Codec,
  type Logger,
  MemoryLogStore,
  MemorySnapshotStore,
  RaftNode,
  type RaftNodeOptions,
  type SnapshotContext,
  type SnapshotMeta,
  type StateMachine,
} from 'helios-raft'
import { ManualClock, TestNetwork } from './harness.js'

/** A list of bytes. Its snapshot is one chunk for each byte, of the list as it was when the first was pulled. */
export class ByteList implements StateMachine<Uint8Array, number> {
  values: number[] = []
  readonly restored: SnapshotMeta[] = []
  readonly snapshots: SnapshotContext[] = []
  returnCount = 0
  /** Before each chunk. */
  onChunk: (at: number) => void | Promise<void> = () => undefined
  /** Instead of the own iterable. */
  onSnapshot: ((own: () => AsyncIterable<Uint8Array>) => ReturnType<ByteList['snapshot']>) | null = null

  readonly apply = (command: Uint8Array): number => this.values.push(command[0] ?? 0)

  snapshot(context: SnapshotContext): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>> {
    this.snapshots.push(context)
    return this.onSnapshot === null ? this.chunks() : this.onSnapshot(() => this.chunks())
  }

  chunks(): AsyncIterable<Uint8Array> {
    let values: readonly number[] | null = null
    let at = 0
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      // Synchronously in the first pull: what is applied later must not be in it (H52).
      values ??= [...this.values]
      await this.onChunk(at)
      const value = values[at++]
      return value === undefined ? { done: true, value: undefined } : { done: false, value: Uint8Array.of(value) }
    }
    const end = async (): Promise<IteratorResult<Uint8Array>> => {
      this.returnCount += 1
      return { done: true, value: undefined }
    }
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
  }

  async restore(chunks: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void> {
    const values: number[] = []
    for await (const chunk of chunks) values.push(...chunk)
    this.values = values
    this.restored.push(meta)
  }
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export class SnapshotStage {
  readonly clock = new ManualClock()
  readonly network: TestNetwork = new TestNetwork(this.clock)
  readonly logStore: MemoryLogStore
  readonly snapshotStore: MemorySnapshotStore
  readonly lines: LogLine[] = []
  machine: ByteList = new ByteList()
  node: RaftNode<Uint8Array, number>
  readonly #options: Partial<RaftNodeOptions<Uint8Array, number>>

  constructor(
    options: Partial<RaftNodeOptions<Uint8Array, number>> = {},
    stores: { logStore?: MemoryLogStore; snapshotStore?: MemorySnapshotStore } = {},
  ) {
    this.#options = options
    this.logStore = stores.logStore ?? new MemoryLogStore()
    this.snapshotStore = stores.snapshotStore ?? new MemorySnapshotStore()
    this.node = this.make()
  }

  /** A new life over the same stores. */
  make(): RaftNode<Uint8Array, number> {
    this.machine = new ByteList()
    const say = (level: string) => (fields: object, message: string) =>
      void this.lines.push({ level, message, fields: { ...fields } })
    const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    this.node = new RaftNode<Uint8Array, number>({
      id: 'a',
      bootstrap: [{ id: 'a', address: 'a:1' }],
      ...('bootstrap' in this.#options ? {} : founded('a')),
      logStore: this.logStore,
      snapshotStore: this.snapshotStore,
      transport: this.network.transport('a'),
      stateMachine: this.machine,
      codec: bytesCodec as Codec<Uint8Array>,
      clock: this.clock,
      seed: 1,
      logger,
      ...this.#options,
    })
    return this.node
  }

  async start(): Promise<this> {
    await this.node.start()
    await this.clock.run(10)
    return this
  }

  async restart(): Promise<this> {
    await this.node.stop()
    this.make()
    return this.start()
  }

  async propose(...values: number[]): Promise<void> {
    const proposed = this.node.proposeMany(values.map((value) => Uint8Array.of(value)))
    await this.clock.run(5)
    await proposed
  }

  /** Runs time until the promise settles. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => void (isSettled = true)
    promise.then(settle, settle)
    for (let round = 0; !isSettled && round < 1_000; round++) await this.clock.run(1)
    if (!isSettled) throw new Error('it does not settle')
    return promise
  }

  /** What the latest snapshot holds. */
  async content(): Promise<number[]> {
    const values: number[] = []
    for await (const chunk of (await this.snapshotStore.latest())?.read() ?? []) values.push(...chunk)
    return values
  }

  said(message: string): readonly LogLine[] {
    return this.lines.filter((line) => line.message === message)
  }
}
