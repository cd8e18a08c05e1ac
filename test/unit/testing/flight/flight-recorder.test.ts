import { describe, expect, it } from 'vitest'
import { isRaftError } from '../../../../src/errors.js'
import { type FlightRecorder, flightRecorder, replay, type ReplayedStep } from '../../../../src/testing/index.js'
import { frameOf } from '../../../../src/testing/flight/flight-format.js'
import { attach, recordSeed, recordSolo, soloStart, WatchedCore } from './flights.js'

async function refusalOf(trace: Uint8Array): Promise<string> {
  const error: unknown = await replay(trace).then(
    (result) => result,
    (thrown: unknown) => thrown,
  )
  if (!isRaftError(error)) throw new Error(`no RaftError: ${JSON.stringify(error)}`)
  return `${error.code}: ${error.message}`
}

/** The recording with its first occurrence of `from` as `to`, and all checksums right. */
function reworded(recording: Uint8Array, from: string | Uint8Array, to: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(recording)
  const frames: Uint8Array[] = []
  let isDone = false
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1)
    const payload = bytes.subarray(at + 9, at + 9 + length)
    const found: number = isDone ? -1 : payload.indexOf(from)
    const parts =
      found < 0 ? [payload] : [payload.subarray(0, found), Buffer.from(to), payload.subarray(found + from.length)]
    isDone ||= found >= 0
    frames.push(frameOf(bytes[at] as number, ...parts))
    at += 9 + length
  }
  expect(isDone).toBe(true)
  return Buffer.concat(frames)
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

describe('flightRecorder', () => {
  it.each(['default', 'snapshots', 'membership', 'sessions', 'storage'] as const)(
    'records what cores of the profile %s take, and they take the same steps again',
    async (profile) => {
      for (const [node, { recorder, steps }] of await recordSeed(1n, { profile })) {
        expect(await replay(recorder.dump()), node).toEqual({ steps, divergedAt: null })
      }
    },
    60_000,
  )

  it.each(['default', 'snapshots', 'membership', 'sessions'] as const)(
    'replays the rest when the oldest part was dropped, also without payloads, in the profile %s',
    async (profile) => {
      const maxBytes = 64 * 1024
      let dropped = 0
      for (const [node, { recorder, steps }] of await recordSeed(4n, { profile, maxBytes, redactPayloads: true })) {
        const recording = recorder.dump()
        expect(recording.length).toBeLessThanOrEqual(maxBytes)
        const result = await replay(recording)
        expect(result.divergedAt, node).toBeNull()
        if (result.steps < steps) dropped += 1
      }
      expect(dropped).toBeGreaterThan(0)
    },
    60_000,
  )

  it('keeps an eighth less than all of its room at least, and says how much is missing', async () => {
    const maxBytes = 64 * 1024
    const recorder = flightRecorder({ maxBytes })
    const { core } = recordSolo(recorder, 5_000)
    const recording = recorder.dump()
    expect(recording.length).toBeGreaterThan((maxBytes * 6) / 8)
    expect(recording.length).toBeLessThanOrEqual(maxBytes)
    const steps: ReplayedStep[] = []
    const result = await replay(recording, { onStep: (step) => steps.push(step) })
    expect(result).toEqual({ steps: steps.length, divergedAt: null })
    expect(steps[0]).toMatchObject({ number: 1, node: 'a', event: { type: 'resume', steps: expect.any(Number) } })
    const { commitIndex, lastApplied, log } = core.state
    expect(steps.at(-1)?.status).toMatchObject({ role: 'leader', commitIndex, lastApplied, lastIndex: log.lastIndex })
  })

  it('goes on with the timings that its node had changed', async () => {
    const recorder = flightRecorder({ maxBytes: 64 * 1024 })
    const watched = recordSolo(recorder, 10)
    const timings = { electionTimeoutMs: 3_000, heartbeatIntervalMs: 1_000 }
    watched.step({ type: 'reconfigure', now: 11_000, ...timings, appendEntries: 5, inflightMessages: 2 })
    for (let now = 11_001; now < 20_000; now++) watched.step({ type: 'tick', now: now * 10 })
    const recording = recorder.dump()
    const { steps, divergedAt } = await replay(recording)
    expect(steps).toBeLessThan(9_000)
    expect(divergedAt).toBeNull()
  })

  it('keeps no payload when asked not to, and every configuration', async () => {
    const secret = Buffer.from('hunter2 hunter2')
    const plain = flightRecorder()
    recordSolo(plain, 3, secret)
    expect(Buffer.from(plain.dump()).includes(secret)).toBe(true)
    const redacted = flightRecorder({ redactPayloads: true })
    recordSolo(redacted, 3, secret)
    expect(Buffer.from(redacted.dump()).includes('hunter2')).toBe(false)
    const [{ steps, divergedAt }, whole] = [await replay(redacted.dump()), await replay(plain.dump())]
    expect({ steps, divergedAt }).toEqual(whole)
  })

  it('records each life of its node behind the other, also after one that nobody stopped', async () => {
    const recorder = flightRecorder()
    const first = recordSolo(recorder, 10)
    const second = new WatchedCore(recorder, soloStart(2))
    second.step({ type: 'tick', now: 2_000 })
    first.step({ type: 'tick', now: 20_000 })
    second.detach()
    const begins: unknown[] = []
    const onStep = ({ event }: ReplayedStep): void => {
      if ((event as { type: string }).type === 'init') begins.push(event)
    }
    expect((await replay(recorder.dump(), { onStep })).divergedAt).toBeNull()
    expect(begins).toMatchObject([{ options: { boot: 1 } }, { options: { boot: 2 } }])
  })

  it('records the event at which a core found itself wrong', async () => {
    const recorder = flightRecorder()
    const watched = recordSolo(recorder, 2)
    watched.fail({ type: 'applied', now: 20_000, index: 1_000 }, false)
    watched.detach()
    expect((await replay(recorder.dump())).divergedAt).toBeNull()
    const healed = reworded(
      recorder.dump(),
      new Uint8Array([(1_000 & 0x7f) | 0x80, 1_000 >> 7]),
      new Uint8Array([0x83, 0]),
    )
    expect((await replay(healed)).divergedAt).not.toBeNull()
  })

  it('serves one node', () => {
    const recorder = flightRecorder()
    attach(recorder, 'a')
    expect(() => attach(recorder, 'b')).toThrow(/^the flight recorder of node 'a' was given to 'b' too/)
  })

  it('ends with one warning, and never throws, at what it can not record', async () => {
    const recorder = flightRecorder()
    const warnings: unknown[] = []
    const nothing = (): void => {}
    const warn = (fields: object, message: string): void => void warnings.push([message, fields])
    const watched = new WatchedCore(recorder, soloStart(), { debug: nothing, info: nothing, error: nothing, warn })
    watched.step({ type: 'tick', now: 1_001, odd: () => 0 } as never)
    watched.step({ type: 'tick', now: 1_002 })
    watched.detach()
    expect(warnings).toEqual([
      ['Flight recorder stopped', { node: 'a', reason: expect.stringContaining('function is no plain data') }],
    ])
  })

  it.each([
    [{ file: 5 }, /^file is 5: use a path/],
    [{ maxBytes: 65_535 }, /^maxBytes is 65535: use a whole number from 65536 to 1073741824/],
    [{ maxBytes: 1_073_741_825 }, /^maxBytes is 1073741825/],
    [{ maxbytes: 65_536 }, /^flightRecorder has no 'maxbytes': it has file, maxBytes, redactPayloads/],
    [{ redactPayloads: 'yes' }, /^redactPayloads is 'yes'/],
    [5, /^the argument of flightRecorder is 5/],
  ])('refuses the options %j', (options, message) => {
    expect(() => flightRecorder(options as never)).toThrow(message)
  })

  it.each([65_536, 1_073_741_824])('takes maxBytes %d', (maxBytes) => {
    expect(flightRecorder({ maxBytes }).dump()).toHaveLength(0)
  })
})

describe('replay of a recording', () => {
  function recorded(): FlightRecorder {
    const recorder = flightRecorder()
    recordSolo(recorder, 50).detach()
    return recorder
  }

  it('takes it in chunks of any size', async () => {
    const recording = recorded().dump()
    const whole = await replay(recording)
    for (const size of [1, 7, 1_000, 1 << 20]) expect(await replay(inChunks(recording, size))).toEqual(whole)
  })

  it('ends where the process ended in the midst of a write', async () => {
    const recorder = flightRecorder({ maxBytes: 64 * 1024 })
    recordSolo(recorder, 300)
    const recording = recorder.dump()
    const whole = await replay(recording)
    const cut = await replay(recording.subarray(0, recording.length - 5))
    expect(cut.divergedAt).toBeNull()
    expect(cut.steps).toBeLessThan(whole.steps)
    expect(cut.steps).toBeGreaterThan(whole.steps / 2)
  })

  it('names the byte from which on it is damaged', async () => {
    const recording = recorded().dump()
    const bent = Uint8Array.from(recording)
    const at = recording.length - 20
    bent[at] = (bent[at] as number) ^ 1
    expect(await refusalOf(bent)).toMatch(/^RAFT_CORRUPTION: the recording is damaged at byte \d+: the checksum/)
    expect(await refusalOf(recording.subarray(0, 100))).toMatch(/^RAFT_CORRUPTION: .* ends before its first whole/)
    expect(await refusalOf(Buffer.concat([recording, Buffer.from('x')]))).toMatch(
      new RegExp(`damaged at byte ${recording.length}: no piece begins with 120`),
    )
  })

  it('stops at the first event that was changed', async () => {
    const recorder = flightRecorder()
    recordSolo(recorder, 50, Buffer.from('abc'))
    const recording = recorder.dump()
    const marks: number[] = []
    await replay(recording, { onStep: ({ number }) => marks.push(number) })
    const reader = await replay(reworded(recording, 'applied', 'appleid'))
    expect(reader.divergedAt).toBeGreaterThan(3)
    expect(reader.divergedAt).toBeLessThan(15)
  })

  it('refuses that of another build, and says both', async () => {
    const recording = recorded().dump()
    const [, build = ''] = /"build":"(\w{16})"/.exec(Buffer.from(recording).toString('latin1')) ?? []
    const [, library = ''] = /"library":"([^"]+)"/.exec(Buffer.from(recording).toString('latin1')) ?? []
    const other = await refusalOf(reworded(recording, build, '0123456789abcdef'))
    expect(other).toBe(
      `RAFT_VERSION: the recording was made by version ${library} of the library, build 0123456789abcdef, and this is version ` +
        `${library}, build ${build}, whose core may take other steps: replay it with the build that made it`,
    )
    expect(await refusalOf(reworded(recording, `"library":"${library}"`, '"library":"9.9.9"'))).toMatch(
      /^RAFT_VERSION: the recording was made by version 9\.9\.9 of the library/,
    )
    expect(await refusalOf(reworded(recording, '"version":1', '"version":2'))).toMatch(
      /^RAFT_VERSION: the recording has format version 2, this library reads 1/,
    )
  })
})
