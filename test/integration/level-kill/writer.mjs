// Writes the sequence to a LevelDB log until it is killed: `node writer.mjs DIRECTORY`. Prints the number of each write
// once it is acknowledged, a line each.
import { levelStorage } from 'helios-raft/level'
import { after, compactionAfter, writeOf } from './sequence.mjs'

const { logStore } = levelStorage({ directory: process.argv[2] })
const restored = await logStore.open()
let number = restored.hardState.currentTerm
let log = { baseIndex: 0, entries: [] }
for (let done = 1; done <= number; done++) log = after(done, log)
let compaction = Promise.resolve()
for (;;) {
  number++
  const batch = writeOf(number, log)
  await logStore.write(batch)
  process.stdout.write(`${number}\n`)
  const next = after(number, log)
  // Beside the writes that follow, as in a node.
  const target = compactionAfter(number, { ...log, entries: [...log.entries, ...batch.entries] })
  if (target !== null) {
    await compaction
    compaction = logStore.compact(next.baseIndex)
  }
  log = next
}
