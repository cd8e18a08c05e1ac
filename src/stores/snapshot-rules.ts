// What every snapshot store refuses, and in which words: metas and sources that can't be, more bytes than announced,
// content that isn't what its source announced. Pure. Sources: F28, F30, H56, H60, H91.
import { RaftError } from '../errors.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'

/** What the sender of a snapshot announced. */
export interface SnapshotSource {
  /** SHA-256 of the content. */
  readonly digest: Uint8Array
  readonly sizeBytes: number
}

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32

/** What is wrong with a meta, in words; null when nothing is. */
export function metaProblem(meta: SnapshotMeta): string | null {
  const { lastIncludedIndex, lastIncludedTerm, lastIncludedTimestamp, configurationIndex, configuration } = meta
  const numbers = { lastIncludedIndex, lastIncludedTerm, configurationIndex }
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 0) return `${name} is ${value}`
  }
  if (!Number.isFinite(lastIncludedTimestamp)) return `lastIncludedTimestamp is ${lastIncludedTimestamp}`
  if (!Array.isArray(configuration?.members)) return 'it has no list of members'
  if (!Array.isArray(configuration.votersOutgoing)) return 'it has no list of outgoing voters'
  return null
}

/** Throws RAFT_INVARIANT for a meta that no node can mean. */
export function checkMeta(meta: SnapshotMeta): void {
  const problem = metaProblem(meta)
  if (problem !== null) throw new RaftError('RAFT_INVARIANT', `A snapshot can't be stored under this meta: ${problem}.`)
}

/** The meta as JSON, the same for equal metas whatever the order of their keys. */
export function canonicalMeta(meta: SnapshotMeta): string {
  return JSON.stringify(meta, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Throws RAFT_INVARIANT for a source that no sender can mean. */
export function checkSource(source: SnapshotSource): void {
  if (source.digest.byteLength !== DIGEST_BYTES) {
    const found = `a digest of ${source.digest.byteLength} bytes`
    throw new RaftError('RAFT_INVARIANT', `A snapshot was announced with ${found}; SHA-256 has ${DIGEST_BYTES}.`)
  }
  if (!Number.isSafeInteger(source.sizeBytes) || source.sizeBytes < 0) {
    throw new RaftError('RAFT_INVARIANT', `A snapshot was announced with a size of ${source.sizeBytes} bytes.`)
  }
}

/** Throws RAFT_INVARIANT unless `0 <= fromOffset <= sizeBytes`. */
export function checkOffset(fromOffset: number, sizeBytes: number): void {
  if (Number.isSafeInteger(fromOffset) && fromOffset >= 0 && fromOffset <= sizeBytes) return
  throw new RaftError('RAFT_INVARIANT', `A snapshot of ${sizeBytes} bytes can't be read from offset ${fromOffset}.`)
}

/** The error of a commit whose content isn't what the source announced; null when it is (F30). */
export function damagedSource(content: SnapshotSource, source: SnapshotSource): RaftError | null {
  if (content.sizeBytes !== source.sizeBytes) {
    const sizes = `${content.sizeBytes} bytes came, ${source.sizeBytes} were announced`
    return new RaftError('RAFT_CORRUPTION', `The received snapshot was dropped: ${sizes}. Fetch it again.`)
  }
  if (equalBytes(content.digest, source.digest)) return null
  const digests = `its SHA-256 is ${hex(content.digest)}, ${hex(source.digest)} was announced`
  return new RaftError('RAFT_CORRUPTION', `The received snapshot was dropped: ${digests}. Fetch it again.`)
}

/** The error of a write beyond the announced size: a sender must not fill the disk (H91). */
export function excessBytes(sizeBytes: number, source: SnapshotSource): RaftError {
  const sizes = `${sizeBytes} bytes would be more than the ${source.sizeBytes} that were announced`
  return new RaftError('RAFT_CORRUPTION', `A chunk of a received snapshot was refused: ${sizes}. Abort the transfer.`)
}

/** The error of a `create` while a sink of the same kind is open (H56). */
export function openSink(kind: 'local' | 'received'): RaftError {
  return new RaftError('RAFT_INVARIANT', `A ${kind} snapshot is being written already. Commit or abort that one first.`)
}

/** The error of a call on a sink that was committed or aborted, or whose store was closed. */
export function spentSink(call: string): RaftError {
  return new RaftError('RAFT_STOPPED', `${call} was called on a snapshot sink that has ended. Create a new one.`)
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
}

/** Bytes as lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
