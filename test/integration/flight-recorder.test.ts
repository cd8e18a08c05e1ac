// An incident on real processes, disks and sockets, recorded and replayed (F46): leaders are killed under load, and afterwards each
// node's core goes through all of its lives again, to the same states.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './session-kill/cluster.mjs'

const FRAME_HEADER_BYTES = 9
const PROGRAM = fileURLToPath(new URL('session-kill/replay.mjs', import.meta.url))

interface Replayed {
  readonly steps: number
  readonly divergedAt: number | null
  readonly lives: number
  readonly nodes: readonly string[]
  readonly lastApplied: number
}

/** By the build that made it: the sources that tests import are another one. */
async function replayed(file: string): Promise<Replayed> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, file])
  return JSON.parse(stdout) as Replayed
}

test('a leader killed under load is replayed on each node, event for event', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'helios-flights-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const { acknowledged, kills } = await run({ directory, seconds: 8, flights: directory })
  expect(kills).toBeGreaterThan(1)

  let lives = 0
  for (const id of ['a', 'b', 'c']) {
    const found = await replayed(join(directory, `${id}.flight`))
    expect(found).toMatchObject({ divergedAt: null, nodes: [id] })
    expect(found.steps).toBeGreaterThan(acknowledged / 4)
    // Each increment is an entry, and all were applied before the nodes were stopped.
    expect(found.lastApplied).toBeGreaterThan(acknowledged)
    lives += found.lives
  }
  expect(lives).toBe(3 + kills)

  const recording = await readFile(join(directory, 'a.flight'))
  const altered = join(directory, 'altered.flight')
  const bent = Buffer.from(recording)
  const middle = bent.length >> 1
  bent[middle] = (bent[middle] ?? 0) ^ 1
  await writeFile(altered, bent)
  expect(await replayed(altered)).toMatchObject({ code: 'RAFT_CORRUPTION' })

  const { build, bytes } = ofAnotherBuild(recording)
  await writeFile(altered, bytes)
  const message = new RegExp(`build 0123456789abcdef, and this is version .*, build ${build}`)
  expect(await replayed(altered)).toEqual({ code: 'RAFT_VERSION', message: expect.stringMatching(message) })
})

/** The recording as if its first segment were of another build, and which one it is of. */
function ofAnotherBuild(recording: Buffer): { readonly build: string; readonly bytes: Buffer } {
  const bytes = Buffer.from(recording)
  const payload = bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + bytes.readUInt32BE(1))
  const build = /"build":"(\w+)"/.exec(payload.toString('latin1'))?.[1] ?? ''
  payload.write('0123456789abcdef', payload.indexOf(build), 'latin1')
  bytes.writeUInt32BE(crc32(payload), 5)
  return { build, bytes }
}
