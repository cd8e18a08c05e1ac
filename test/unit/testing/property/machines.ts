// State machines for the tests of the property layer.
import type { ApplyContext, SnapshotContext, StateMachine } from 'helios-raft'

export type Add = { readonly add: number }

/** A counter, as a user would write it. */
export class Counter implements StateMachine<Add, number> {
  sum = 0
  readonly apply = ({ add }: Add, _context: ApplyContext): number => {
    this.sum += add
    return this.sum
  }
  async *snapshot(_context: SnapshotContext): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(String(this.sum))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk)
    this.sum = Number(text)
  }
}

/** Every fifth command counts twice: wrong, but alike on each node. */
export class WrongCounter extends Counter {
  #count = 0
  override readonly apply = ({ add }: Add): number => {
    this.#count += 1
    this.sum += this.#count % 5 === 0 ? 2 * add : add
    return this.sum
  }
}
