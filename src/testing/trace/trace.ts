// What happened in a simulation, one record after the other: hashed always, so that two runs can be compared by one
// string. Whoever listens gets the full lines of `trace-writer.ts`; the hash is the same with and without. No clock of the
// machine and no crypto comes near it.
import type { Message } from '../../core/messages.js'
import { RunningHash } from './hash.js'
import type { TraceWriter } from './trace-writer.js'

/** Main fields of a record: plain values, in an order that the code decides. */
export type TraceFields = Readonly<Record<string, number | string | boolean | null>>

const NOTHING: TraceFields = {}

export class Trace {
  records = 0
  /** Gets what a record leaves out too; null when nobody listens. */
  readonly writer: TraceWriter | null
  readonly #hash = new RunningHash()

  constructor(writer: TraceWriter | null = null) {
    this.writer = writer
  }

  record(atMs: number, node: string, kind: string, fields: TraceFields = NOTHING): void {
    this.records += 1
    const hash = this.#hash
    hash.number(atMs)
    hash.text(node)
    hash.text(kind)
    for (const name in fields) {
      const value = fields[name]
      if (typeof value === 'number') hash.number(value)
      else hash.text(String(value))
    }
    this.writer?.record(atMs, node, kind, fields)
  }

  /** 16 hexadecimal digits; the same for the same records in the same order. */
  get hash(): string {
    return this.#hash.hex
  }
}

/** A message for a record: its plain fields, and of lists how long they are and where they end. */
export function messageFields(message: Message): TraceFields {
  const fields: Record<string, number | string | boolean | null> = {}
  for (const name in message) {
    const value = (message as unknown as Readonly<Record<string, unknown>>)[name]
    if (!Array.isArray(value)) fields[name] = value as number | string | boolean | null
  }
  if (message.type === 'appendEntries') {
    fields['entryCount'] = message.entries.length
    fields['lastEntryTerm'] = message.entries.at(-1)?.term ?? 0
  }
  if (message.type === 'proposeRequest') fields['commandCount'] = message.commands.length
  return fields
}
