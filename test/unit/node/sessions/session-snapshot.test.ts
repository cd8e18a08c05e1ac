// Sessions in a snapshot: there whole beside the state, or not at all (H51).
import { RaftError } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { Pieces } from '../../../../src/node/pieces.js'
import { answersBytes, type SessionAnswer, type SessionRecord } from '../../../../src/node/sessions/session-record.js'
import { behindSessions, takeSessions, withoutSessions } from '../../../../src/node/sessions/session-snapshot.js'

const MAGIC = [...new TextEncoder().encode('HRSTSESS')]

async function* chunksOf(...chunks: readonly (readonly number[])[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Uint8Array.from(chunk)
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<number[]> {
  const all: number[] = []
  for await (const chunk of chunks) all.push(...chunk)
  return all
}

async function readBack(bytes: readonly number[], pieceBytes: number) {
  const pieces = new Pieces(
    (async function* () {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield Uint8Array.from(bytes.slice(at, at + pieceBytes))
    })(),
    'a test',
  )
  const records = await takeSessions(pieces)
  return { records, state: await collect(pieces.rest()) }
}

const ANSWERS: readonly SessionAnswer[] = [
  { sequence: 3, index: 2 ** 40, term: 9, type: 'value', data: Uint8Array.of(1, 2) },
  { sequence: 5, index: 11, term: 9, type: 'none', data: new Uint8Array(0) },
]

const record = (id: string, fields: Partial<SessionRecord> = {}): SessionRecord => ({
  id,
  openedAt: 7,
  ttlMs: 0.5,
  activeAt: 1_900_000_000_000.25,
  acknowledged: 2,
  lastSequence: 5,
  answers: ANSWERS,
  ...fields,
  answersBytes: answersBytes(fields.answers ?? ANSWERS),
})

describe('a snapshot', () => {
  it.each([1, 7, 1_000_000])('brings sessions back as they were, in pieces of %i bytes', async (pieceBytes) => {
    const records = [
      record('é'),
      record('b', { answers: [] }),
      ...Array.from({ length: 2_000 }, (_, at) => record(`${at}`)),
    ]
    const bytes = await collect(behindSessions(records, chunksOf([1], [2, 3])))
    expect(await readBack(bytes, pieceBytes)).toEqual({ records, state: [1, 2, 3] })
  })

  it.each([
    ['nothing', []],
    ['an empty chunk', [[]]],
    ['bytes', [[1, 2, 3], [], [4]]],
    ['other text of that length', [[...MAGIC.slice(0, 7), 0, 1]]],
  ])('without sessions is what the state machine gave: %s', async (_, chunks) => {
    const bytes = await collect(behindSessions([], chunksOf(...chunks)))
    expect(bytes).toEqual(chunks.flat())
    expect(await readBack(bytes, 3)).toEqual({ records: [], state: bytes })
  })

  it.each([[[MAGIC]], [[[...MAGIC, 1, 0, 0, 0, 0, 9]]], [[[0x48], MAGIC.slice(1)]], [[[], MAGIC]]])(
    'of a state machine whose bytes begin as sessions do comes back as it was: %j',
    async (chunks) => {
      const bytes = await collect(behindSessions([], chunksOf(...chunks)))
      expect(await readBack(bytes, 5)).toEqual({ records: [], state: chunks.flat() })
    },
  )

  it('pulls the first chunk of the state machine before anything else, and lets go of it at the end (H52)', async () => {
    const calls: string[] = []
    const inner: AsyncIterator<Uint8Array> = {
      next: async () => (calls.push('next'), { done: false, value: Uint8Array.of(1) }),
      return: async () => (calls.push('return'), { done: true, value: undefined }),
    }
    const iterator = behindSessions([record('a')], { [Symbol.asyncIterator]: () => inner })[Symbol.asyncIterator]()
    expect(calls).toEqual(['next'])
    await iterator.next()
    expect((await iterator.next()).value).toEqual(Uint8Array.of(1))
    expect(calls).toEqual(['next'])
    await iterator.return?.()
    expect(calls).toEqual(['next', 'return'])
  })

  it('is refused where its sessions are cut, damaged or of a later version', async () => {
    const bytes = await collect(behindSessions([record('a')], chunksOf([1])))
    for (const length of [9, 14, 20, bytes.length - 2]) {
      await expect(readBack(bytes.slice(0, length), 64)).rejects.toMatchObject({ code: 'RAFT_CORRUPTION' })
    }
    const changed = (at: number, value: number) => bytes.map((byte, place) => (place === at ? value : byte))
    await expect(readBack(changed(8, 2), 64)).rejects.toMatchObject({ code: 'RAFT_VERSION' })
    await expect(readBack(changed(13, 0xff), 64)).rejects.toBeInstanceOf(RaftError)
  })

  it('leaves them behind for another cluster', async () => {
    const bytes = await collect(behindSessions([record('a')], chunksOf([1], [2])))
    const source = (async function* () {
      yield Uint8Array.from(bytes)
    })()
    expect(await collect(withoutSessions(source))).toEqual([1, 2])
  })
})
