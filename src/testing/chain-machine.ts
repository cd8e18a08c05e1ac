// The state machine of the simulator's own workload: a hash over every command ever applied, with its place in the log.
// Two replicas that differ in one command, its order or its count differ in their state for ever. It may take its time
// over an entry, and is not to be looked at meanwhile (H130); it scribbles over every command that it was given (H96).
import type { MachineHost } from './machine-host.js'
import type { ApplyContext, SnapshotMeta, StateMachine } from '../interfaces/state-machine.js'

/** Result and state: the hash, and how many commands it is over. */
export interface ChainState {
  readonly hash: number
  readonly count: number
}

/** How long it takes; without it everything is done at once. */
export interface ChainPace {
  readonly host: MachineHost
  /** Share of the entries that take a while. */
  readonly slowRatio: number
  readonly slowMs: readonly [min: number, max: number]
}

/** Told of each command before it is applied. */
type OnApply = (command: Uint8Array, context: ApplyContext) => void

/** Applies bytes; answers with its whole state. */
export class ChainMachine implements StateMachine<Uint8Array, ChainState> {
  readonly #pace: ChainPace | null
  readonly #onApply: OnApply | undefined
  #state: ChainState = { hash: 1, count: 0 }

  constructor(pace: ChainPace | null = null, onApply?: OnApply) {
    this.#pace = pace
    this.#onApply = onApply
  }

  get state(): ChainState {
    return this.#state
  }

  readonly apply = (command: Uint8Array, context: ApplyContext): ChainState | Promise<ChainState> => {
    this.#onApply?.(command, context)
    const { hash, count } = this.#state
    const half = stir(stir(hash, context.index), context.timestamp % 0x1_0000_0000)
    const pace = this.#pace
    if (pace === null || !pace.host.random.chance(pace.slowRatio)) return this.#finish(half, count, command)
    // Half done: who reads now sees a state that no index has.
    this.#state = { hash: half, count }
    return this.#wait(pace).then(() => this.#finish(half, count, command))
  }

  /** The state now and a while later, for a query that takes its time: nothing may be applied meanwhile (H130). */
  async stateForAWhile(): Promise<ChainState> {
    const before = this.#state
    if (this.#pace !== null) await this.#wait(this.#pace)
    return before === this.#state ? before : { hash: this.#state.hash, count: -1 }
  }

  /** A machine that takes its time may ask for some before its state is had, during which nothing may be applied. */
  snapshot(): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>> {
    const pace = this.#pace
    if (pace === null || !pace.host.random.chance(pace.slowRatio)) return chunksOf(this.#state)
    return this.#wait(pace).then(() => chunksOf(this.#state))
  }

  async restore(chunks: AsyncIterable<Uint8Array>, _meta: SnapshotMeta): Promise<void> {
    const bytes: number[] = []
    for await (const chunk of chunks) bytes.push(...chunk)
    const view = new DataView(Uint8Array.from(bytes).buffer)
    this.#state = { hash: view.getUint32(0), count: view.getUint32(4) }
  }

  #wait({ host, slowMs }: ChainPace): Promise<void> {
    return host.wait(host.random.between(...slowMs))
  }

  #finish(half: number, count: number, command: Uint8Array): ChainState {
    let hash = half
    for (const byte of command) hash = stir(hash, byte)
    // It is the machine's own: whoever else looks at it sees this.
    command.fill(0xa5)
    this.#state = { hash, count: count + 1 }
    return this.#state
  }
}

/** In two chunks: between them entries are applied. */
async function* chunksOf({ hash, count }: ChainState): AsyncGenerator<Uint8Array> {
  for (const word of [hash, count]) {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, word)
    yield bytes
  }
}

function stir(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
