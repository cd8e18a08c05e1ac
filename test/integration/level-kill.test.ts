// SIGKILL at random points of a process that writes to LevelDB: what was acknowledged is there, nothing else is, and
// the log has no gap (H1, H79, H80, H84). The writer runs on the built package, by its public name.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { levelStorage } from 'helios-raft/level'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { after, type SequenceLog } from './level-kill/sequence.mjs'

const WRITER = fileURLToPath(new URL('./level-kill/writer.mjs', import.meta.url))

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'helios-kill-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Lets the writer acknowledge `count` writes, kills it, and returns the last number that it acknowledged. */
async function writeAndKill(count: number): Promise<number> {
  const writer = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = new Promise<NodeJS.Signals | null>((resolve) => writer.on('exit', (_, signal) => resolve(signal)))
  const complaints: unknown[] = []
  writer.stderr.on('data', (data) => complaints.push(String(data)))
  let acknowledged = 0
  let lines = 0
  // Lines that were on their way when it died are acknowledgements too.
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged = Number(line)
    if (++lines === count) writer.kill('SIGKILL')
  }
  expect(await exit, complaints.join('')).toBe('SIGKILL')
  return acknowledged
}

/** The log after write `number`, and every position that it was compacted to on the way. */
function expectedAfter(number: number): { readonly log: SequenceLog; readonly bases: ReadonlySet<number> } {
  let log: SequenceLog = { baseIndex: 0, entries: [] }
  const bases = new Set([0])
  for (let done = 1; done <= number; done++) {
    log = after(done, log)
    bases.add(log.baseIndex)
  }
  return { log, bases }
}

test('a killed writer loses nothing that was acknowledged and leaves one whole log', async () => {
  const counts = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 1, max: 150 })))
  const property = fc.asyncProperty(counts, async (kills) => {
    for (const count of kills) {
      const acknowledged = await writeAndKill(count)
      const { logStore } = levelStorage({ directory })
      const restored = await logStore.open()
      const number = restored.hardState.currentTerm
      // The write that was under way may be there, whole.
      expect([acknowledged, acknowledged + 1]).toContain(number)
      const { log, bases } = expectedAfter(number)
      expect(restored.hardState.votedFor).toBe(`node-${number % 3}`)
      expect(restored.lastIndex).toBe(log.baseIndex + log.entries.length)
      expect(bases).toContain(restored.firstIndex - 1)
      const first = log.baseIndex + 1
      expect(await logStore.read(first, restored.lastIndex, Number.MAX_SAFE_INTEGER)).toEqual(log.entries)
      await logStore.close()
    }
  })
  await fc.assert(property, { numRuns: 1, endOnFailure: true })
})
