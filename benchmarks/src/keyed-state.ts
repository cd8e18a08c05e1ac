// A large state of many keys that is snapshotted while it changes: what a node that was away for long has to be sent. In
// pages that are copied when they change during a snapshot, so that neither a copy at its beginning nor the garbage collector
// is measured in place of the library.
import type { StateMachine } from 'helios-raft'

const KEY_BYTES = 4
const KEYS_PER_PAGE = 256

/** Commands are a key of four bytes and a value of the same size each time. */
export class KeyedState implements StateMachine<Uint8Array, number> {
  readonly #pages: Uint8Array[] = []
  /** Pages that a snapshot under way still has to read. */
  #held = new Set<Uint8Array>()

  /** The command that sets that key. */
  static command(key: number, valueBytes: number): Uint8Array {
    const command = new Uint8Array(KEY_BYTES + valueBytes).fill(1)
    new DataView(command.buffer).setUint32(0, key)
    return command
  }

  readonly apply = (command: Uint8Array): number => {
    const key = new DataView(command.buffer, command.byteOffset).getUint32(0)
    const value = command.subarray(KEY_BYTES)
    this.#writablePage(Math.floor(key / KEYS_PER_PAGE), value.length).set(value, (key % KEYS_PER_PAGE) * value.length)
    return key
  }

  snapshot(): AsyncIterable<Uint8Array> {
    const pages = this.#pages.slice()
    this.#held = new Set(pages)
    return this.#chunks(pages)
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#pages.length = 0
    let bytes = Buffer.alloc(0)
    for await (const chunk of chunks) {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const end = 4 + bytes.readUInt32BE(0)
        this.#pages.push(new Uint8Array(bytes.subarray(4, end)))
        bytes = bytes.subarray(end)
      }
    }
  }

  #writablePage(at: number, valueBytes: number): Uint8Array {
    const page = this.#pages[at]
    if (page !== undefined && !this.#held.has(page)) return page
    const own = page === undefined ? new Uint8Array(KEYS_PER_PAGE * valueBytes) : page.slice()
    this.#pages[at] = own
    return own
  }

  async *#chunks(pages: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
    const held = this.#held
    for (const page of pages) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(page.length)
      yield Buffer.concat([length, page])
      held.delete(page)
    }
  }
}
