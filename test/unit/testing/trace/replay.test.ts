import { beforeAll, describe, expect, it } from 'vitest'
import { isRaftError } from '../../../../src/errors.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import { replay, type ReplayedStep } from '../../../../src/testing/trace/replay.js'

type Fields = Record<string, unknown>

/** The full trace of one seed. */
async function traceOf(seed: bigint, bug?: string): Promise<string[]> {
  const lines: string[] = []
  await runSeed(seed, { bug, onTrace: (line) => lines.push(line) })
  return lines
}

/** The lines with line `number` changed. */
function altered(lines: readonly string[], number: number, alter: (line: Fields) => void): string {
  const line = JSON.parse(lines[number - 1] as string) as Fields
  alter(line)
  return lines.map((text, at) => (at === number - 1 ? JSON.stringify(line) : text)).join('\n')
}

/** Number of the first line of that step for which `holds`. */
function lineOf(lines: readonly string[], step: string, holds: (line: Fields) => boolean = () => true): number {
  const at = lines.findIndex((text) => {
    const line = JSON.parse(text) as Fields
    return line['step'] === step && holds(line)
  })
  expect(at, `a line of step ${step}`).toBeGreaterThan(0)
  return at + 1
}

async function codeOf(trace: string): Promise<string> {
  const error: unknown = await replay(trace).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!isRaftError(error)) throw new Error(`no RaftError: ${String(error)}`)
  return `${error.code}: ${error.message}`
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

/** The trace of the first seed with that bug of which `fits` says so. */
async function firstTrace(bug: string, fits: (lines: readonly string[]) => boolean): Promise<string[]> {
  for (let seed = 1n; seed <= 30n; seed++) {
    const trace = await traceOf(seed, bug)
    if (fits(trace)) return trace
  }
  throw new Error(`no seed up to 30 with ${bug} fits`)
}

describe('replay', () => {
  let lines: string[] = []
  beforeAll(async () => {
    lines = await traceOf(5n)
  })

  it('takes the same steps again in 20 seeds', async () => {
    for (let seed = 1n; seed <= 20n; seed++) {
      const { steps, divergedAt } = await replay((await traceOf(seed)).join('\n'))
      expect(divergedAt, `seed ${seed}`).toBeNull()
      expect(steps, `seed ${seed}`).toBeGreaterThan(50)
    }
  }, 300_000)

  it('takes the same steps again where clients count replicas', async () => {
    const trace: string[] = []
    await runSeed(1n, { profile: 'sessions', onTrace: (line) => trace.push(line) })
    lineOf(trace, 'replicas')
    expect((await replay(trace.join('\n'))).divergedAt).toBeNull()
  }, 60_000)

  it('goes the way of a seeded bug with the bug, up to where a core found itself wrong, and another way without it', async () => {
    const bug = 'truncate-always'
    const trace = await firstTrace(bug, (lines) => lines.some((line) => line.includes('"step":"failed"')))
    expect((await replay(trace.join('\n'))).divergedAt).toBeNull()
    const shipped = altered(trace, 1, (header) => Object.assign(header, { bug: null }))
    const { divergedAt } = await replay(shipped)
    expect(divergedAt).toBeGreaterThan(1)
    expect(divergedAt).toBeLessThanOrEqual(lineOf(trace, 'failed'))
  })

  it('shows each event with the status of its node after it', async () => {
    const steps: ReplayedStep[] = []
    const result = await replay(lines.join('\n'), { onStep: (step) => steps.push(step) })
    expect(result.steps).toBe(steps.length)
    expect(steps[0]).toMatchObject({
      event: { type: 'init' },
      status: { role: 'follower', lastIndex: 0, clusterId: '' },
    })
    const leader = steps.find(({ status }) => status.role === 'leader')
    expect(leader?.status).toMatchObject({
      id: leader?.node,
      leader: { id: leader?.node },
      explanation: expect.any(String),
    })
    expect(steps.some(({ status }) => status.ready && status.quorumOk)).toBe(true)
    for (const { number, node } of steps)
      expect(JSON.parse(lines[number - 1] as string)).toMatchObject({ number, node })
  })

  it('reads bytes in any chunks, with or without a line feed at the end', async () => {
    const whole = await replay(lines.join('\n'))
    const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`)
    expect(await replay(inChunks(bytes, 1_000))).toEqual(whole)
    expect(await replay(inChunks(bytes.subarray(0, -1), 4_096))).toEqual(whole)
    expect(await replay(`${lines.join('\n')}\n`)).toEqual(whole)
  })

  it.each([
    ['init', (line: Fields) => Object.assign(line['options'] as Fields, { seed: 7 })],
    [
      'receive',
      (line: Fields) => Object.assign(line['event'] as Fields, { now: 1 + Number((line['event'] as Fields)['now']) }),
    ],
    ['receive', (line: Fields) => Object.assign((line['event'] as Fields)['message'] as Fields, { term: 99 })],
    ['propose', (line: Fields) => Object.assign(line['event'] as Fields, { commands: ['AAAA'] })],
    ['persist', (line: Fields) => Object.assign(line['event'] as Fields, { index: 0, epoch: 9 })],
    ['tick', (line: Fields) => Object.assign(line['state'] as Fields, { commitIndex: 77 })],
    ['send', (line: Fields) => Object.assign(line['state'] as Fields, { votedFor: 'n9' })],
    ['append', (line: Fields) => Object.assign(line, { entries: [] })],
    ['commit', (line: Fields) => Object.assign(line, { last: 1_000 })],
    ['becomeLeader', (line: Fields) => Object.assign(line, { term: 50 })],
    ['configuration', (line: Fields) => Object.assign(line, { index: 3 })],
  ])('diverges at an altered line of step %s', async (step, alter) => {
    const number = lineOf(lines, step)
    expect((await replay(altered(lines, number, alter))).divergedAt).toBe(number)
  })

  it('diverges when a core takes an event that was never there', async () => {
    const number = lineOf(lines, 'becomeFollower')
    const without = lines
      .filter((_, at) => at !== number - 1)
      .map((text, at) => text.replace(/"number":\d+/, `"number":${at + 1}`))
    expect((await replay(without.join('\n'))).divergedAt).toBe(number)
  })

  it('names the line at which one is missing, doubled, damaged or cut off', async () => {
    const drop = lines.filter((_, at) => at !== 99)
    expect(await codeOf(drop.join('\n'))).toMatch(/^RAFT_CORRUPTION: line 100 of the trace says that it is line 101/)
    const twice = [...lines.slice(0, 100), ...lines.slice(99)]
    expect(await codeOf(twice.join('\n'))).toMatch(/^RAFT_CORRUPTION: line 101 /)
    const bent = lines.map((text, at) => (at === 49 ? text.slice(0, -5) : text))
    expect(await codeOf(bent.join('\n'))).toMatch(/^RAFT_CORRUPTION: line 50 of the trace is not JSON/)
    expect(await codeOf(lines.join('\n').slice(0, -9))).toMatch(
      new RegExp(`^RAFT_CORRUPTION: line ${lines.length} .*not JSON`),
    )
    expect(await codeOf(lines.slice(0, 70).join('\n'))).toMatch(/^RAFT_CORRUPTION: line 70 of the trace.* cut off/)
    expect(await codeOf([...lines, lines[3]].join('\n'))).toMatch(
      new RegExp(`line ${lines.length + 1} .*behind the end`),
    )
    expect(await codeOf('')).toMatch(/^RAFT_CORRUPTION: line 1 /)
    expect(await codeOf('{"a":1}')).toMatch(/^RAFT_CORRUPTION: line 1 of the trace is not the header/)
    const noEvent = altered(lines, lineOf(lines, 'receive'), (line) =>
      Object.assign(line, { event: { type: 'receive', now: 1 } }),
    )
    expect(await codeOf(noEvent)).toMatch(/^RAFT_CORRUPTION: line \d+ of the trace lacks a message/)
    const unborn = [lines[0], (lines[lineOf(lines, 'receive') - 1] ?? '').replace(/"number":\d+/, '"number":2')]
    expect(await codeOf(unborn.join('\n'))).toMatch(
      /^RAFT_CORRUPTION: line 2 of the trace is an event of 'n\d', which has not begun/,
    )
  })

  it('refuses a trace of another format or of another version of the library', async () => {
    const format = altered(lines, 1, (header) => Object.assign(header, { version: 2 }))
    expect(await codeOf(format)).toMatch(/^RAFT_VERSION: the trace has format version 2, this library reads 1/)
    const library = altered(lines, 1, (header) => Object.assign(header, { library: '9.9.9' }))
    expect(await codeOf(library)).toMatch(/^RAFT_VERSION: the trace was written by version 9\.9\.9 of the library/)
  })
})
