// The state machine of the simulator's own workload: a hash over every command ever applied, with its place in the log.
// Two replicas that differ in one command, its order or its count differ in their state for ever.
import type { ApplyContext, SnapshotMeta, StateMachine } from '../interfaces/state-machine.js'

/** Result and state: the hash, and how many commands it is over. */
export interface ChainState {
  readonly hash: number
  readonly count: number
}

/** Applies bytes; answers with its whole state. */
export class ChainMachine implements StateMachine<Uint8Array, ChainState> {
  #state: ChainState = { hash: 1, count: 0 }

  get state(): ChainState {
    return this.#state
  }

  readonly apply = (command: Uint8Array, context: ApplyContext): ChainState => {
    let hash = stir(stir(this.#state.hash, context.index), context.timestamp % 0x1_0000_0000)
    for (const byte of command) hash = stir(hash, byte)
    this.#state = { hash, count: this.#state.count + 1 }
    return this.#state
  }

  async *snapshot(): AsyncIterable<Uint8Array> {
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, this.#state.hash)
    view.setUint32(4, this.#state.count)
    yield bytes
  }

  async restore(chunks: AsyncIterable<Uint8Array>, _meta: SnapshotMeta): Promise<void> {
    const bytes: number[] = []
    for await (const chunk of chunks) bytes.push(...chunk)
    const view = new DataView(Uint8Array.from(bytes).buffer)
    this.#state = { hash: view.getUint32(0), count: view.getUint32(4) }
  }
}

function stir(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
