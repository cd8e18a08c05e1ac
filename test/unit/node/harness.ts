// A few nodes on a clock that stands still until a test moves it, a network that a test can look into, and stores whose
// writes a test can hold, let go or fail. Nothing here waits for real time.
import { founded } from '../../support/founded.js'
import type { CoreOptions, RestoredState } from 'helios-raft/core'
import {
  bytesCodec,
  type Clock,
  type Codec,
  decodeMessage,
  encodeMessage,
  type HardState,
  type LogEntry,
  type LogStore,
  type LogWrite,
  MemorySnapshotStore,
  type Message,
  RaftNode,
  type RaftNodeOptions,
  type RestoredLog,
  type StateMachine,
  type StoreIdentity,
  type Transport,
  type TransportLocal,
} from 'helios-raft'

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export class ManualClock implements Clock {
  #now: number
  #sequence = 0
  #timers: { at: number; sequence: number; fire: () => void }[] = []
  wallOffset = 1_700_000_000_000

  constructor(startsAt = 1_000) {
    this.#now = startsAt
  }

  get timerCount(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.wallOffset + this.#now
  }

  schedule(atMs: number, fire: () => void): { cancel(): void } {
    const timer = { at: Math.max(atMs, this.#now), sequence: this.#sequence++, fire }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((held) => held !== timer)) }
  }

  /** Jumps without firing anything: the process stood still. */
  jump(ms: number): void {
    this.#now += ms
  }

  /** Lets `ms` pass; what is due fires in order, and promises settle in between. */
  async run(ms = 0): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await settle()
      const [next] = this.#timers
        .filter((timer) => timer.at <= until)
        .sort((a, b) => a.at - b.at || a.sequence - b.sequence)
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.at)
      next.fire()
    }
    this.#now = until
  }
}

/** A log in memory. Writes wait while `isHeld`; `failure` makes the next one fail, once. */
export class TestLogStore implements LogStore {
  entries: LogEntry[] = []
  hardState: HardState = { currentTerm: 0, votedFor: null }
  identity: StoreIdentity | null = null
  isHeld = false
  failure: Error | null = null
  readFailure: Error | null = null
  isOpen = false
  closeCount = 0
  readonly writes: LogWrite[] = []
  readonly log: string[] = []
  #held: (() => void)[] = []

  async open(): Promise<RestoredLog> {
    this.isOpen = true
    const termRuns: { first: number; term: number }[] = []
    for (const { index, term } of this.entries)
      if (termRuns.at(-1)?.term !== term) termRuns.push({ first: index, term })
    const { hardState, identity } = this
    const lastIndex = this.entries.length
    return { hardState, firstIndex: 1, lastIndex, previousTerm: 0, termRuns, configurations: [], identity }
  }

  async write(batch: LogWrite): Promise<void> {
    if (!this.isOpen) throw new Error('written while closed')
    this.writes.push(batch)
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve))
    else await Promise.resolve()
    if (this.failure !== null) {
      const { failure } = this
      this.failure = null
      throw failure
    }
    if (!this.isOpen) throw new Error('closed during a write')
    const first = batch.entries?.[0]
    if (first !== undefined) this.entries.length = first.index - 1
    for (const entry of batch.entries ?? []) this.entries.push(entry)
    this.hardState = batch.hardState ?? this.hardState
    this.identity = batch.identity ?? this.identity
  }

  /** Lets the held write go. */
  release(): void {
    this.#held.shift()?.()
  }

  async read(first: number, last: number, maxBytes: number): Promise<readonly LogEntry[]> {
    this.log.push(`read ${first}..${last}`)
    if (this.readFailure !== null) throw this.readFailure
    const entries: LogEntry[] = []
    let bytes = 0
    for (const entry of this.entries.slice(first - 1, last)) {
      bytes += entry.data.length
      if (entries.length > 0 && bytes > maxBytes) break
      entries.push(entry)
    }
    return entries
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {
    this.isOpen = false
    this.closeCount += 1
    this.log.push('close')
  }
}

export interface Sent {
  readonly from: string
  readonly to: string
  readonly message: Message
}

/** Delivers by the clock, one ms later, by value; `isLost` decides what never arrives. */
export class TestNetwork {
  readonly sent: Sent[] = []
  isLost: (sent: Sent) => boolean = () => false
  latencyMs = 1
  readonly #clock: ManualClock
  readonly #locals = new Map<string, TransportLocal>()

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  transport(id: string): Transport & { stopCount: number } {
    const network = this
    return {
      maxMessageBytes: 8 * 1024 * 1024,
      stopCount: 0,
      async start(local: TransportLocal) {
        network.#locals.set(id, local)
      },
      send(to: { id: string }, message: Message) {
        network.#send({ from: id, to: to.id, message })
      },
      async stop() {
        this.stopCount += 1
        network.#locals.delete(id)
      },
    }
  }

  /** Says something to a node as if `from` had sent it. */
  inject(from: string, to: string, message: Message): void {
    this.#locals.get(to)?.receive(from, message)
  }

  local(id: string): TransportLocal {
    return this.#locals.get(id)!
  }

  /** Nothing reaches `id` or leaves it. */
  isolate(...ids: string[]): void {
    this.isLost = ({ from, to }) => ids.includes(from) || ids.includes(to)
  }

  heal(): void {
    this.isLost = () => false
  }

  #send(sent: Sent): void {
    this.sent.push(sent)
    if (this.isLost(sent)) return
    const bytes = encodeMessage(sent.message)
    this.#clock.schedule(this.#clock.now() + this.latencyMs, () =>
      this.inject(sent.from, sent.to, decodeMessage(bytes)),
    )
  }
}

/** Adds up what it is told, and remembers each call. */
export class Adder implements StateMachine<Uint8Array, number> {
  total = 0
  readonly calls: { index: number; term: number; timestamp: number; value: number }[] = []
  onApply: (value: number, command: Uint8Array) => void | Promise<void> = () => undefined

  readonly apply = (
    command: Uint8Array,
    context: { index: number; term: number; timestamp: number },
  ): number | Promise<number> => {
    const value = command[0] ?? 0
    this.calls.push({ ...context, value })
    const hook = this.onApply(value, command)
    if (hook instanceof Promise) return hook.then(() => (this.total += value))
    this.total += value
    return this.total
  }

  async *snapshot(): AsyncIterable<Uint8Array> {}
  async restore(): Promise<void> {}
}

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

export type TestNode = RaftNode<Uint8Array, number>

export interface TestClusterOptions {
  readonly ids?: readonly string[]
  readonly options?: Partial<RaftNodeOptions<Uint8Array, number>>
  readonly perNode?: Readonly<Record<string, Partial<RaftNodeOptions<Uint8Array, number>>>>
}

export class TestCluster {
  readonly clock = new ManualClock()
  readonly network: TestNetwork = new TestNetwork(this.clock)
  readonly stores = new Map<string, TestLogStore>()
  readonly machines = new Map<string, Adder>()
  readonly nodes = new Map<string, TestNode>()
  readonly ids: readonly string[]
  readonly #settings: TestClusterOptions

  constructor(settings: TestClusterOptions = {}) {
    this.#settings = settings
    this.ids = settings.ids ?? ['a', 'b', 'c']
    for (const id of this.ids) {
      this.stores.set(id, new TestLogStore())
      this.make(id)
    }
  }

  /** A new incarnation of a node over the store that the last one left. */
  make(id: string): TestNode {
    const machine = new Adder()
    const node = new RaftNode<Uint8Array, number>({
      id,
      bootstrap: this.ids.map((member) => ({ id: member, address: `${member}:1` })),
      ...founded(...this.ids),
      logStore: this.store(id),
      snapshotStore: new MemorySnapshotStore(),
      transport: this.network.transport(id),
      stateMachine: machine,
      codec: bytesCodec as Codec<Uint8Array>,
      clock: this.clock,
      seed: id.charCodeAt(0),
      electionTimeoutMs: 150,
      heartbeatIntervalMs: 50,
      ...this.#settings.options,
      ...this.#settings.perNode?.[id],
    })
    this.machines.set(id, machine)
    this.nodes.set(id, node)
    return node
  }

  node(id: string): TestNode {
    return this.nodes.get(id)!
  }

  store(id: string): TestLogStore {
    return this.stores.get(id)!
  }

  machine(id: string): Adder {
    return this.machines.get(id)!
  }

  /** Starts all and runs until every node is ready. */
  async start(): Promise<this> {
    for (const node of this.nodes.values()) await node.start()
    await this.runUntil(() => [...this.nodes.values()].every((node) => node.status().ready))
    return this
  }

  get leader(): TestNode {
    return [...this.nodes.values()].find((node) => node.isLeader)!
  }

  get followers(): TestNode[] {
    return [...this.nodes.values()].filter((node) => !node.isLeader && node.status().role !== 'stopped')
  }

  async runUntil(condition: () => boolean, withinMs = 5_000): Promise<void> {
    const until = this.clock.now() + withinMs
    while (!condition()) {
      if (this.clock.now() > until) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`)
      await this.clock.run(1)
    }
  }

  /** Runs time until the promise settles, and gives its value or throws its error. */
  async settled<T>(promise: Promise<T>, withinMs = 10_000): Promise<T> {
    let isSettled = false
    promise.then(
      () => void (isSettled = true),
      () => void (isSettled = true),
    )
    await this.runUntil(() => isSettled, withinMs)
    return promise
  }

  async stop(): Promise<void> {
    for (const store of this.stores.values()) {
      store.isHeld = false
      store.release()
    }
    await Promise.all([...this.nodes.values()].map((node) => node.stop({ transferMs: 0 })))
  }
}

/** What a promise rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('it resolved')
}

/** Options of a core that a test only looks at: it never steps it. */
export const CORE_OPTIONS: CoreOptions = {
  id: 'a',
  electionTimeoutMs: 1,
  heartbeatIntervalMs: 1,
  seed: 1,
  boot: 1,
  maxClockDriftRatio: 0.1,
  appendEntries: 1,
  inflightMessages: 1,
}

/** What the stores of a new node hold. */
export const EMPTY_STORES: RestoredState = {
  hardState: { currentTerm: 0, votedFor: null },
  firstIndex: 1,
  lastIndex: 0,
  previousTerm: 0,
  termRuns: [],
  logTime: 0,
  configuration: null,
}
