// Increments through sessions while the leader is killed every two seconds, on real processes, disks and sockets: the counter
// is what was acknowledged, no more and no less (F18, H114). `session-kill/main.mjs` runs it for as long as one likes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './session-kill/cluster.mjs'

test('clients that retry every timeout count each increment once, whichever leader dies', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'helios-sessions-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const { acknowledged, attempts, kills, values } = await run({ directory, seconds: 12 })
  expect(kills).toBeGreaterThan(2)
  expect(attempts).toBeGreaterThan(acknowledged)
  expect(values).toEqual([acknowledged, acknowledged, acknowledged])
})
