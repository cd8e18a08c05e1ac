// Reads by lease on leaders and followers that are stopped, cut off, suspended, killed, told to hand over and given other timings,
// on real processes, disks and sockets: none is stale (F20, F21, H117). `lease-reads/main.mjs` runs it for as long as one likes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './lease-reads/run.mjs'

test('no read by lease is stale, whoever is stopped, suspended, killed or reconfigured', {
  timeout: 180_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'helios-leases-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const { verdict, text, codes, ...counts } = await run({ directory, seconds: 0 })
  expect(text).toBeNull()
  expect(verdict).toBe('ok')
  expect(counts.unsettled).toBe(0)
  expect(Object.keys(codes)).not.toContain('ERROR')
  // Each fault was done, and hurt: leases were held, and the stopped leaders lost them.
  expect(counts.leaseReads).toBeGreaterThan(0)
  expect(counts.followerReads).toBeGreaterThan(0)
  expect(counts.localReads).toBeGreaterThan(0)
  expect(counts).toMatchObject({ suspends: 1, takeovers: 3, kills: 3, transfers: 2 })
})
