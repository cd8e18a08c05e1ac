// A memory-level database behind the interface of LevelLogStore, which tells what was asked of it and fails on demand.
// Shared by the tests of the level store; raw() is its content as hexadecimal, for damage and golden files.
import { MemoryLevel } from 'memory-level'
import {
  BYTES,
  type LevelBatch,
  type LevelDatabase,
  type LevelIterator,
  type LevelRange,
} from '../../src/stores/level/database.js'

export class WatchedDatabase implements LevelDatabase {
  readonly location: string = '/somewhere/node-1'
  readonly supports = { implicitSnapshots: true }
  readonly inner = new MemoryLevel<string, string>()
  /** The options of each write. */
  readonly writes: unknown[] = []
  openIterators = 0
  recordsRead = 0
  /** What the next call of that kind rejects with. */
  failure: { readonly call: 'open' | 'get' | 'write' | 'clear' | 'nextv' | 'close'; readonly error: Error } | null =
    null

  async open() {
    this.#failIf('open')
    await this.inner.open()
  }

  async close() {
    this.#failIf('close')
    await this.inner.close()
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#failIf('get')
    this.recordsRead++
    return await this.inner.get<Uint8Array, Uint8Array>(key, BYTES)
  }

  batch(): LevelBatch {
    const batch = this.inner.batch()
    return {
      put: (key, value) => batch.put<Uint8Array, Uint8Array>(key, value, BYTES),
      del: (key) => batch.del<Uint8Array>(key, { keyEncoding: 'view' }),
      write: async (options) => {
        this.#failIf('write')
        this.writes.push(options)
        await batch.write()
      },
      close: () => batch.close(),
    }
  }

  iterator(range: LevelRange): LevelIterator {
    const iterator = this.inner.iterator<Uint8Array, Uint8Array>(range)
    this.openIterators++
    return {
      nextv: async (size) => {
        this.#failIf('nextv')
        const page = await iterator.nextv(size)
        this.recordsRead += page.length
        return page
      },
      close: async () => {
        this.openIterators--
        await iterator.close()
      },
    }
  }

  async clear(range: LevelRange): Promise<void> {
    this.#failIf('clear')
    await this.inner.clear<Uint8Array>(range)
  }

  /** Every record, by key, both in hexadecimal. */
  async raw(): Promise<Map<string, string>> {
    await this.inner.open()
    return new Map(await this.inner.iterator<string, string>({ keyEncoding: 'hex', valueEncoding: 'hex' }).all())
  }

  async putRaw(key: string, value: string): Promise<void> {
    await this.inner.open()
    await this.inner.put<string, string>(key, value, { keyEncoding: 'hex', valueEncoding: 'hex' })
  }

  async deleteRaw(key: string): Promise<void> {
    await this.inner.open()
    await this.inner.del<string>(key, { keyEncoding: 'hex' })
  }

  #failIf(call: string): void {
    if (this.failure?.call !== call) return
    const { error } = this.failure
    this.failure = null
    throw error
  }
}

/** The same bytes with one bit turned. */
export function flipBit(hex: string, bit: number): string {
  const bytes = Buffer.from(hex, 'hex')
  const at = Math.floor(bit / 8)
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit % 8)), at)
  return bytes.toString('hex')
}
