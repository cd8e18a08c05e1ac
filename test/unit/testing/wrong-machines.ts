// A right state machine in several chunks, and wrong ones: each a small change that a rule of StateMachine forbids.
import { randomUUID } from 'node:crypto'
import type { StateMachine } from 'helios-raft'

export type Note = { readonly key: string; readonly text: string }

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value)}\n`)

async function linesOf(chunks: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
  if (!text.endsWith('\n')) throw new Error('the snapshot ends within a line')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

/** Notes by key, and how many were ever written. One chunk for the count and one for each note. */
export class Notes implements StateMachine<Note, unknown> {
  notes = new Map<string, string>()
  written = 0

  apply(note: Note): unknown {
    this.written += 1
    this.notes.set(note.key, note.text)
    return { written: this.written, keys: this.notes.size }
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return chunksOf([{ written: this.written, keys: this.notes.size }, ...sorted(this.notes)])
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const [head, ...rest] = (await linesOf(chunks)) as [{ written: number; keys: number }, ...[string, string][]]
    if (rest.length !== head.keys) throw new Error(`${rest.length} notes, where there were ${head.keys}`)
    this.notes = new Map(rest)
    this.written = head.written
  }
}

const sorted = (notes: Map<string, string>) => [...notes].sort(([one], [other]) => (one < other ? -1 : 1))

async function* chunksOf(values: readonly unknown[]): AsyncGenerator<Uint8Array> {
  for (const value of values) yield encode(value)
}

export class WallClock extends Notes {
  override apply(note: Note) {
    return super.apply({ ...note, text: String(Date.now()) })
  }
}
export class NewDate extends Notes {
  override async apply(note: Note) {
    await Promise.resolve()
    return super.apply({ ...note, text: new Date().toISOString() })
  }
}
export class Chance extends Notes {
  override apply(note: Note) {
    return { ...(super.apply(note) as object), id: Math.random() }
  }
}
export class ImportedChance extends Notes {
  override apply(note: Note) {
    return super.apply({ ...note, text: randomUUID() })
  }
}
let everWritten = 0
export class SharedState extends Notes {
  override apply(note: Note) {
    super.apply(note)
    return ++everWritten
  }
}
export class ForgetsField extends Notes {
  override snapshot() {
    return chunksOf([{ written: 0, keys: this.notes.size }, ...sorted(this.notes)])
  }
}
export class Lazy extends Notes {
  override async *snapshot() {
    yield encode({ written: this.written, keys: this.notes.size })
    for (const pair of this.notes) yield encode(pair)
  }
}
export class LateFirstChunk extends Notes {
  override async *snapshot() {
    await new Promise((resolve) => setImmediate(resolve))
    yield* super.snapshot()
  }
}
export class Mutates extends Notes {
  override apply(note: Note) {
    const changed = note as { text: string }
    changed.text = changed.text.trim()
    delete (note as { key?: string }).key
    return super.apply({ key: 'k', text: changed.text })
  }
}
export class ClearsFirst extends Notes {
  override async restore(chunks: AsyncIterable<Uint8Array>) {
    this.notes.clear()
    await super.restore(chunks)
  }
}
export class TakesPartial extends Notes {
  override async restore(chunks: AsyncIterable<Uint8Array>) {
    this.notes = new Map()
    this.written = 0
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk)
    const [head, ...rest] = text.split('\n').slice(0, -1)
    if (head === undefined) throw new Error('nothing came')
    this.written = (JSON.parse(head) as { written: number }).written
    for (const line of rest) this.notes.set(...(JSON.parse(line) as [string, string]))
  }
}
export class Appends extends Notes {
  override async restore(chunks: AsyncIterable<Uint8Array>) {
    const before = [...this.notes]
    await super.restore(chunks)
    for (const [key, text] of before) if (!this.notes.has(key)) this.notes.set(key, text)
  }
}
export class SwallowsFailure extends Notes {
  override async restore(chunks: AsyncIterable<Uint8Array>) {
    await super.restore(chunks).catch(() => {})
  }
}
/** Answers with the first key in the order of insertion, which a restore from sorted notes does not keep. */
export class MapOrder extends Notes {
  override apply(note: Note) {
    super.apply(note)
    return this.notes.keys().next().value
  }
}
export class AliasedResult extends Notes {
  override apply(note: Note) {
    super.apply(note)
    return this.notes
  }
}
export class ReusesBuffer extends Notes {
  readonly #buffer = new Uint8Array(4096)
  override async *snapshot() {
    for await (const chunk of super.snapshot()) {
      this.#buffer.set(chunk)
      yield this.#buffer.subarray(0, chunk.length)
    }
  }
}
export class TextChunks extends Notes {
  override async *snapshot() {
    for await (const chunk of super.snapshot()) yield new TextDecoder().decode(chunk) as unknown as Uint8Array
  }
}
export class ChangesBySnapshot extends Notes {
  override snapshot() {
    this.written += 1
    return super.snapshot()
  }
}
/** Collects writes beside the map while a snapshot runs, and loses them when it is given up. */
export class LockedBySnapshot extends Notes {
  #waiting: Note[] | null = null
  override apply(note: Note) {
    if (this.#waiting === null) return super.apply(note)
    this.#waiting.push(note)
    return { written: this.written + this.#waiting.length, keys: new Set([...this.notes.keys(), note.key]).size }
  }
  override async *snapshot() {
    const waiting: Note[] = []
    this.#waiting = waiting
    yield* super.snapshot()
    this.#waiting = null
    for (const note of waiting) super.apply(note)
  }
}
/** Takes each chunk for whole lines, as it gave them. */
export class ChunkIsLine extends Notes {
  override async restore(chunks: AsyncIterable<Uint8Array>) {
    const lines: unknown[] = []
    for await (const chunk of chunks) lines.push(JSON.parse(new TextDecoder().decode(chunk)))
    await super.restore(chunksOf(lines))
  }
}
export class NothingForNothing extends Notes {
  override snapshot() {
    return this.written === 0 ? chunksOf([]) : super.snapshot()
  }
}
export class Throws extends Notes {
  override apply(note: Note) {
    if (note.text === '') throw new Error('a note needs a text')
    return super.apply(note)
  }
}

/** Commands of bytes; the state is the last one of each length. */
export class Blobs implements StateMachine<Uint8Array, number> {
  blobs = new Map<number, Uint8Array>()
  apply(bytes: Uint8Array): number {
    this.blobs.set(bytes.length, this.keep(bytes))
    return this.blobs.size
  }
  protected keep(bytes: Uint8Array): Uint8Array {
    return bytes.slice()
  }
  snapshot(): AsyncIterable<Uint8Array> {
    const blobs = [...this.blobs.values()].sort((one, other) => one.length - other.length)
    return chunksOf(blobs.map((bytes) => [...bytes]))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    const lines = Buffer.concat(parts).toString().split('\n').slice(0, -1)
    this.blobs = new Map(lines.map((line) => Uint8Array.from(JSON.parse(line) as number[])).map((b) => [b.length, b]))
  }
}
export class KeepsBytes extends Blobs {
  protected override keep(bytes: Uint8Array): Uint8Array {
    return bytes
  }
}
