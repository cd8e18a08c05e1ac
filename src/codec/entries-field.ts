// The entries of an AppendEntries on the wire: a count, then a fixed header and the payload of each (§5.3). Payloads
// are copied when they are read, because a log keeps them longer than the buffer that they came in.
// How entries relate to their message is checked by `checkEntries`, on both ends.
import { readConfiguration } from '../core/configuration-codec.js'
import type { AppendEntries } from '../core/messages.js'
import type { LogEntry } from '../core/types.js'
import type { ByteReader } from './binary.js'
import { type Field, integer, milliseconds, oneOf, refuse } from './field.js'

/** index 8, term 8, timestamp 8, type 1, reserved 3, length 4. */
export const entryOverheadBytes = 32
/** Most entries in one message; a longer list is refused before anything is allocated for it. */
export const MAX_ENTRIES_PER_MESSAGE = 65_536

// A number on the wire never gets another meaning.
const entryType: Field<LogEntry['type']> = oneOf<LogEntry['type']>(['command', 'noop', 'configuration', 'session'])

export const entryList: Field<readonly LogEntry[]> = {
  sizeOf: (entries) => entries.reduce((size, { data }) => size + entryOverheadBytes + data.byteLength, 4),
  write(writer, entries, name) {
    if (entries.length > MAX_ENTRIES_PER_MESSAGE) {
      refuse(`the length of ${name}`, entries.length, `at most ${MAX_ENTRIES_PER_MESSAGE}`)
    }
    writer.uint32(entries.length)
    for (const entry of entries) {
      integer.write(writer, entry.index, 'the index of an entry')
      integer.write(writer, entry.term, 'the term of an entry')
      milliseconds.write(writer, entry.timestamp, 'the timestamp of an entry')
      entryType.write(writer, entry.type, 'the type of an entry')
      writer.uint8(0)
      writer.uint16(0)
      writer.uint32(entry.data.byteLength)
      writer.raw(entry.data)
    }
  },
  read(reader, name) {
    const count = reader.uint32(`the length of ${name}`)
    if (count > MAX_ENTRIES_PER_MESSAGE) {
      reader.fail(`${name} has ${count} items, more than ${MAX_ENTRIES_PER_MESSAGE}`)
    }
    reader.need(count * entryOverheadBytes, name)
    const entries: LogEntry[] = []
    for (let position = 0; position < count; position += 1) entries.push(readEntry(reader))
    return entries
  },
}

function readEntry(reader: ByteReader): LogEntry {
  const index = reader.integer('the index of an entry')
  const term = reader.integer('the term of an entry')
  const timestamp = milliseconds.read(reader, 'the timestamp of an entry')
  const type = entryType.read(reader, 'the type of an entry')
  const reserved = reader.uint8('the reserved bytes of an entry') + reader.uint16('the reserved bytes of an entry')
  if (reserved !== 0) reader.fail('entry reserved bytes are not zero')
  const data = reader.payload(reader.uint32('the length of an entry'), 'the payload of an entry')
  return { index, term, type, timestamp, data }
}

/** What is wrong with the entries of a message, or null: they follow prevLogIndex, and terms never fall or lie ahead. */
export function checkEntries(message: AppendEntries): string | null {
  let index = message.prevLogIndex
  let term = message.prevLogTerm
  for (const entry of message.entries) {
    index += 1
    if (entry.index !== index) return `the entry at place ${index} says that its index is ${entry.index}`
    if (entry.term < term) return `entry ${index} has term ${entry.term} after an entry of term ${term}`
    if (entry.term > message.term) return `entry ${index} has term ${entry.term} in a message of term ${message.term}`
    // Before the core sees it: a node would have to stop over what a stranger sent.
    if (entry.type === 'configuration' && 'problem' in readConfiguration(entry.data)) {
      return `entry ${index} is not a configuration`
    }
    term = entry.term
  }
  return null
}
