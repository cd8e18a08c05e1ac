// Snapshots of a modelled node as pure functions: what one holds, how a log goes on behind one, and what recovery makes of
// both. The content is the terms of all entries that were applied, so that a wrong one is seen as any other entry.
import { assert } from '../../core/assert.js'
import type { InstallSnapshot } from '../../core/messages.js'
import type { SendSnapshot } from '../../core/output.js'
import type { CoreState } from '../../core/state.js'
import type { LogIndex, SnapshotMeta, Term } from '../../core/types.js'
import { configurationText, type NameOf } from './configurations.js'
import type { Disk } from './disk.js'

export interface Snapshot {
  readonly meta: SnapshotMeta
  /** Of all entries that it holds, from index 1 on. */
  readonly terms: readonly Term[]
}

const NOTHING = new Uint8Array(0)

/** Of everything that is applied. What is applied is durable, and so are its configurations. */
export function snapshotOf({ lastApplied: index, log }: CoreState, disk: Disk): Snapshot {
  const terms = disk.terms.slice(0, index)
  const held = log.configurations.findLast((each) => each.index <= index)
  assert(held !== undefined, 'every node knows the configuration that it applied last')
  const { index: configurationIndex, configuration } = held
  const position = { lastIncludedIndex: index, lastIncludedTerm: terms.at(-1) ?? 0, lastIncludedTimestamp: 0 }
  return { meta: { ...position, configuration, configurationIndex }, terms }
}

/** The whole of it in one message, in place of a stream of chunks. */
export function installMessage({ term, addedAt, transfer }: SendSnapshot, { meta, terms }: Snapshot): InstallSnapshot {
  const chunk = Uint8Array.from(terms)
  const whole = { digest: NOTHING, sizeBytes: chunk.length, offset: 0, chunk, chunkCrc: 0 }
  return { type: 'installSnapshot', term, addedAt, transfer, meta, ...whole }
}

/** What came in such a message. */
export function receivedSnapshot({ meta, chunk }: InstallSnapshot): Snapshot {
  return { meta, terms: [...chunk] }
}

/** The log is empty behind the snapshot, whose configuration is the only one. */
export function resetLog(disk: Disk, { meta, terms }: Snapshot): Disk {
  const { lastIncludedIndex: baseIndex, configurationIndex: index, configuration } = meta
  return { ...disk, baseIndex, terms, configurations: index === 0 ? [] : [{ index, configuration }] }
}

/** What recovery makes of a disk: a log that does not hold what the newest snapshot ends with is reset to it. */
export function recovered(disk: Disk): Disk {
  const { snapshot, terms } = disk
  if (snapshot === null) return disk
  const { lastIncludedIndex, lastIncludedTerm } = snapshot.meta
  return terms[lastIncludedIndex - 1] === lastIncludedTerm ? disk : resetLog(disk, snapshot)
}

/** By this text two snapshots are the same. */
export function snapshotText({ meta, terms }: Snapshot, name: NameOf): string {
  const { lastIncludedIndex, lastIncludedTerm, configurationIndex, configuration } = meta
  const members = `${configurationIndex}${configurationText(configuration, name)}`
  return `${lastIncludedIndex}:${lastIncludedTerm} of [${terms.join(' ')}] with ${members}`
}

/** Terms of the entries that a node holds, in its log or in the snapshot before it, from index 1 on. */
export function termsHeld({ log }: CoreState, disk: Disk): readonly Term[] {
  const terms = disk.terms.slice(0, log.baseIndex)
  log.runs.forEach(({ first, term }, at) => {
    const last: LogIndex = (log.runs[at + 1]?.first ?? log.lastIndex + 1) - 1
    for (let index = first; index <= last; index++) terms.push(term)
  })
  return terms
}
