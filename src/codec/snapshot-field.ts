// What a snapshot says of itself on the wire (§7): position, time and configuration, in fixed fields. How the fields of an
// InstallSnapshot relate is checked by `checkSnapshot`, on both ends.
import type { InstallSnapshot } from '../core/messages.js'
import type { SnapshotMeta } from '../core/types.js'
import type { ByteReader, ByteWriter } from './binary.js'
import { type Field, integer, milliseconds, refuse } from './field.js'
import { configuration } from './membership-fields.js'

/** Of a SHA-256. */
export const DIGEST_BYTES = 32

/** A SHA-256. */
export const digest: Field<Uint8Array> = {
  sizeOf: () => DIGEST_BYTES,
  write(writer, value, name) {
    if (value.byteLength !== DIGEST_BYTES) refuse(name, `${value.byteLength} bytes`, `${DIGEST_BYTES} bytes`)
    writer.raw(value)
  },
  read: (reader, name) => reader.copy(DIGEST_BYTES, name),
}

const META: { readonly [Name in keyof SnapshotMeta]: Field<SnapshotMeta[Name]> } = {
  lastIncludedIndex: integer,
  lastIncludedTerm: integer,
  lastIncludedTimestamp: milliseconds,
  configurationIndex: integer,
  configuration,
}
const META_FIELDS = Object.entries(META) as readonly (readonly [keyof SnapshotMeta, Field<unknown>])[]

/** The meta of a snapshot. */
export const snapshotMeta: Field<SnapshotMeta> = {
  sizeOf: (meta) => META_FIELDS.reduce((size, [name, field]) => size + field.sizeOf(meta[name]), 0),
  write(writer: ByteWriter, meta: SnapshotMeta) {
    for (const [name, field] of META_FIELDS) field.write(writer, meta[name], name)
  },
  read: (reader: ByteReader) =>
    Object.fromEntries(META_FIELDS.map(([name, field]) => [name, field.read(reader, name)])) as unknown as SnapshotMeta,
}

/** What is wrong with an InstallSnapshot taken as a whole, or null. */
export function checkSnapshot({ term, meta, sizeBytes, offset, chunk }: InstallSnapshot): string | null {
  const { lastIncludedIndex, lastIncludedTerm, configurationIndex } = meta
  if (lastIncludedIndex < 1 || lastIncludedTerm < 1) return 'its snapshot holds no entry'
  if (lastIncludedTerm > term) return `its snapshot is of term ${lastIncludedTerm} in a message of term ${term}`
  if (configurationIndex > lastIncludedIndex) {
    return `the configuration of its snapshot is of index ${configurationIndex}, behind ${lastIncludedIndex}`
  }
  const end = offset + chunk.byteLength
  return end > sizeBytes ? `its chunk ends at ${end} of ${sizeBytes} bytes` : null
}
