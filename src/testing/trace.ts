// What happened in a simulation, one record after the other: hashed always, so that two runs can be compared by one
// string, and written out as NDJSON only when somebody listens. No clock of the machine and no crypto comes near it.
import type { Message } from '../core/messages.js'

/** Main fields of a record: plain values, in an order that the code decides. */
export type TraceFields = Readonly<Record<string, number | string | boolean | null>>

const NOTHING: TraceFields = {}

/** A running hash over all records (64 bits; to compare runs, not to resist anybody). */
export class Trace {
  records = 0
  readonly #sink: ((line: string) => void) | undefined
  readonly #float = new Float64Array(1)
  readonly #words = new Uint32Array(this.#float.buffer)
  #low = 0x811c9dc5
  #high = 0x9dc5811c

  /** @param sink - takes each record as one line of JSON, without the line feed */
  constructor(sink?: (line: string) => void) {
    this.#sink = sink
  }

  record(atMs: number, node: string, kind: string, fields: TraceFields = NOTHING): void {
    this.records += 1
    this.#number(atMs)
    this.#text(node)
    this.#text(kind)
    for (const name in fields) {
      const value = fields[name]
      if (typeof value === 'number') this.#number(value)
      else this.#text(String(value))
    }
    this.#sink?.(JSON.stringify({ record: this.records, atMs, node, kind, ...fields }))
  }

  /** 16 hexadecimal digits; the same for the same records in the same order. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#high) + hex(this.#low)
  }

  #number(value: number): void {
    // -0 and 0 are one number to us but not in bits.
    this.#float[0] = value + 0
    this.#word(this.#words[0] as number)
    this.#word(this.#words[1] as number)
  }

  #text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#word(text.charCodeAt(at))
    this.#word(0x10000 + text.length)
  }

  #word(word: number): void {
    const low = Math.imul(this.#low ^ word, 0x01000193)
    this.#low = low ^ (low >>> 15)
    const high = Math.imul(this.#high ^ (word + this.#low), 0x85ebca6b)
    this.#high = high ^ (high >>> 13)
  }
}

/** A message for a record: its plain fields, and of lists how long they are and where they end. */
export function messageFields(message: Message): TraceFields {
  const fields: Record<string, number | string | boolean | null> = {}
  for (const [name, value] of Object.entries(message) as [string, unknown][]) {
    if (!Array.isArray(value)) fields[name] = value as number | string | boolean | null
  }
  if (message.type === 'appendEntries') {
    fields['entryCount'] = message.entries.length
    fields['lastEntryTerm'] = message.entries.at(-1)?.term ?? 0
  }
  if (message.type === 'proposeRequest') fields['commandCount'] = message.commands.length
  return fields
}
