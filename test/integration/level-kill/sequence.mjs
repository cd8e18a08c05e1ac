// A sequence of log writes in which the number of a write decides what it is, so that whoever finds a log after a crash
// can tell from the stored number what must be in it. Used by the writer and by the test that kills it.

/** The write number `number` on a log whose entries are `entries` (index, term): appends, sometimes over a suffix. */
export function writeOf(number, { baseIndex, entries }) {
  const lastIndex = baseIndex + entries.length
  const overwritten = number % 7 === 0 ? Math.min(5, entries.length) : 0
  const first = lastIndex + 1 - overwritten
  const term = 1 + Math.floor(number / 7)
  const added = Array.from({ length: 1 + (number % 9) }, (_, i) => entryOf(first + i, term))
  return { hardState: { currentTerm: number, votedFor: `node-${number % 3}` }, entries: added }
}

/** Its payload depends on index and term alone. */
export function entryOf(index, term) {
  const data = new Uint8Array((index * 37 + term) % 700).fill((index + term) % 256)
  return { index, term, type: 'command', timestamp: index, data }
}

/** How far the log is compacted after write `number`; null for not at all. */
export function compactionAfter(number, { baseIndex, entries }) {
  return number % 20 === 0 ? Math.max(0, baseIndex + entries.length - 30) : null
}

/** The log after one more write and its compaction. */
export function after(number, log) {
  const { entries } = writeOf(number, log)
  const kept = log.entries.filter((entry) => entry.index < entries[0].index)
  const written = { baseIndex: log.baseIndex, entries: [...kept, ...entries] }
  const compacted = Math.max(compactionAfter(number, written) ?? 0, log.baseIndex)
  return { baseIndex: compacted, entries: written.entries.filter((entry) => entry.index > compacted) }
}
