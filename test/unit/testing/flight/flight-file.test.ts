import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { flightRecorder, replay, type ReplayedStep } from '../../../../src/testing/index.js'
import type { Logger } from '../../../../src/interfaces/logger.js'
import { recordSolo, soloStart, WatchedCore } from './flights.js'

const maxBytes = 64 * 1024
const [HALF, nothing] = [maxBytes / 2, (): void => {}]
let directory = ''
let file = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'helios-flight-'))
  file = join(directory, 'deeper', 'a.flight')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function both(): Buffer {
  return Buffer.concat([readFileSync(`${file}.1`), readFileSync(file)])
}

/** Lets the writes in the background end. */
async function written(bytes: number): Promise<void> {
  while (statSync(file).size < bytes) await turn()
}

/** Events of the lives in it, by their first events. */
async function beginningsOf(recording: Uint8Array): Promise<string[]> {
  const types: string[] = []
  const onStep = ({ event }: ReplayedStep): void => {
    const { type } = event as { type: string }
    if (type === 'init' || type === 'resume') types.push(type)
  }
  expect((await replay(recording, { onStep })).divergedAt).toBeNull()
  return types
}

describe('flightRecorder with a file', () => {
  it('holds all of it when its node has stopped, where the process may end at once', async () => {
    const recorder = flightRecorder({ file })
    const { detach, core } = recordSolo(recorder, 100)
    detach()
    const steps: ReplayedStep[] = []
    const recording = readFileSync(file)
    expect((await replay(recording, { onStep: (step) => steps.push(step) })).divergedAt).toBeNull()
    expect(steps.at(-1)?.status).toMatchObject({ role: 'leader', lastApplied: core.state.lastApplied })
    expect(Buffer.from(recorder.dump()).equals(recording)).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is bounded by two files, which together are replayed', async () => {
    const recorder = flightRecorder({ file, maxBytes })
    const watched = new WatchedCore(recorder, soloStart())
    for (let now = 1_001; now < 9_000; now++) {
      watched.step({ type: 'peerStatus', now: now / 1.01 + 100, peer: 'b', status: 'up', storeId: `store ${now}` })
      if (now % 64 === 0) await turn()
      if (now % 1_024 === 0) expect(recorder.dump().length).toBeLessThanOrEqual(maxBytes)
    }
    watched.detach()
    for (const name of [file, `${file}.1`]) {
      expect(statSync(name).size).toBeLessThanOrEqual(HALF)
      expect((await replay(readFileSync(name))).divergedAt).toBeNull()
    }
    expect(statSync(`${file}.1`).size).toBeGreaterThan(HALF / 2)
    expect(await beginningsOf(both())).toEqual(['resume'])
    expect(Buffer.from(recorder.dump()).equals(both())).toBe(true)
  })

  it('goes on behind an earlier life, without what its end cut off', async () => {
    recordSolo(flightRecorder({ file }), 5).detach()
    const whole = statSync(file).size
    appendFileSync(file, readFileSync(file).subarray(0, whole - 10))
    recordSolo(flightRecorder({ file }), 5).detach()
    truncateSync(file, statSync(file).size - 3)
    recordSolo(flightRecorder({ file }), 5).detach()
    expect((await beginningsOf(readFileSync(file))).length).toBeGreaterThanOrEqual(3)
  })

  it.each([
    [
      'of another build',
      (text: Buffer) => Buffer.from(text.toString('latin1').replace(/"build":"\w{4}/, '"build":"0000'), 'latin1'),
    ],
    ['that is no recording', () => Buffer.from('{"format":"something else"}\n')],
  ])('lays a file %s aside', async (_, alter) => {
    const other = join(directory, 'deeper', 'other')
    recordSolo(flightRecorder({ file: other }), 5).detach()
    const altered = alter(readFileSync(other))
    writeFileSync(file, altered)
    recordSolo(flightRecorder({ file }), 5).detach()
    expect(readFileSync(`${file}.1`).equals(altered)).toBe(true)
    expect(await beginningsOf(readFileSync(file))).toEqual(['init'])
  })

  it('writes in the background, without anyone who asks for it', async () => {
    const watched = recordSolo(flightRecorder({ file }), 2_000)
    await written(64 * 1024)
    expect((await replay(readFileSync(file))).divergedAt).toBeNull()
    watched.detach()
  })

  it('leaves out what is too large for its room, and goes on behind it', async () => {
    const recorder = flightRecorder({ file, maxBytes })
    const watched = recordSolo(recorder, 1)
    const large = new Uint8Array(HALF)
    watched.step({ type: 'propose', now: 11_000, wallTime: 1e12, id: 2, entryType: 'command', commands: [large] })
    for (let now = 11_001; now < 11_009; now++)
      watched.step({ type: 'read', now, wallTime: 1e12, id: now, byLease: false })
    watched.detach()
    expect(await beginningsOf(recorder.dump())).toEqual(['init', 'resume'])
  })

  it('ends with one warning when the disk can not be written, and its node goes on', () => {
    writeFileSync(join(directory, 'deeper'), 'a file where a directory is needed')
    const warnings: unknown[] = []
    const logger: Logger = {
      ...{ debug: nothing, info: nothing, error: nothing },
      warn: (fields, message) => void warnings.push([message, fields]),
    }
    const watched = new WatchedCore(flightRecorder({ file }), soloStart(), logger)
    watched.step({ type: 'tick', now: 1_001 })
    watched.detach()
    expect(warnings).toEqual([
      ['Flight recorder stopped', { node: 'a', reason: expect.stringMatching(/EEXIST|ENOTDIR/) }],
    ])
  })
})
