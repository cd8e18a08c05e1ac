import { describe, expect, it } from 'vitest'
import { bugNames } from '../../src/testing/bugs/index.js'
import { runSeed, type SeedResult } from '../../src/testing/run-seed.js'

/** Runs seeds one after the other until one ends with a violation. */
async function firstViolation(bug: string, seedCount: number): Promise<SeedResult | null> {
  for (let seed = 1n; seed <= BigInt(seedCount); seed++) {
    const result = await runSeed(seed, { bug })
    if (result.violation !== null) return result
  }
  return null
}

describe('the real node in the simulator', () => {
  it('breaks nothing in 40 seeds of faults, and serves again after each', async () => {
    const seen = new Map<string, number>()
    for (let seed = 1n; seed <= 40n; seed++) {
      const { violation, coverage, calls } = await runSeed(seed)
      expect(violation, `seed ${seed}: npm run sim -- --seed ${seed} --seeds 1`).toBeNull()
      expect(calls).toBeGreaterThan(0)
      for (const [name, count] of Object.entries(coverage)) seen.set(name, (seen.get(name) ?? 0) + count)
    }
    // A swarm that never does what it is there for proves nothing.
    const faults = [
      'crash',
      'restart',
      'stop',
      'pause',
      'partition',
      'cut',
      'heal',
      'reset',
      'slowDisk',
      'failWrite',
      'hangDisk',
      'fullDisk',
      'rotDisk',
      'clockRate',
      'clog',
      'stranger',
    ]
    const ofMessages = ['loss', 'bulkLoss', 'duplicate', 'straggle', 'cut', 'lostTail']
    const changes = ['follower.preCandidate', 'preCandidate.candidate', 'candidate.leader', 'leader.follower']
    const names = [...faults.map((name) => `fault.${name}`), ...ofMessages.map((name) => `fault.message.${name}`)]
    for (const name of [...names, ...changes.map((change) => `become.${change}`)])
      expect(seen.get(name) ?? 0, name).toBeGreaterThan(0)
    const messages = [
      'preVote',
      'requestVote',
      'appendEntries.entries',
      'heartbeat',
      'proposeRequest',
      'readIndexRequest',
    ]
    for (const type of messages) expect(seen.get(`message.${type}`) ?? 0, type).toBeGreaterThan(0)
  }, 120_000)

  it('does the same again for the same seed, and something else for another', async () => {
    const [first, again, other] = [await runSeed(5n), await runSeed(5n), await runSeed(6n)]
    expect(again).toEqual(first)
    expect(other.traceHash).not.toBe(first.traceHash)
  })

  it('writes the trace of a run without changing it', async () => {
    const lines: string[] = []
    const traced = await runSeed(5n, { onTrace: (line) => lines.push(line) })
    expect(traced).toEqual(await runSeed(5n))
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ number: 2, step: 'start' })
  })
})

describe('seeded bugs', () => {
  it.each([
    ['commit-old-term', 100],
    ['answers-do-not-wait', 10],
    ['truncate-always', 10],
  ])(
    '%s is found within %d seeds',
    async (bug, seedCount) => {
      expect(bugNames()).toContain(bug)
      const found = await firstViolation(bug, seedCount)
      expect(found?.violation ?? null).not.toBeNull()
    },
    120_000,
  )
})
