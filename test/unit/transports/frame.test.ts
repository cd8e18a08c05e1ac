import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRAME_HEADER_BYTES, type FrameKind, FrameParser, makeFrame } from '../../../src/transports/tcp/frame.js'

interface Seen {
  readonly kind: FrameKind
  readonly payload: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function parser(options: { limit?: number; isWanted?: () => boolean } = {}): { parser: FrameParser; seen: Seen[] } {
  const seen: Seen[] = []
  const handler = {
    maxPayloadBytes: () => options.limit ?? 1_000_000,
    onFrame(kind: FrameKind, payload: Uint8Array) {
      seen.push({ kind, payload: hex(payload) })
      return options.isWanted?.() ?? true
    },
  }
  return { parser: new FrameParser(handler), seen }
}

const kinds: readonly FrameKind[] = ['controlHello', 'bulkHello', 'message', 'ping', 'pong', 'refused']
const arbFrame = fc.record({ kind: fc.constantFrom(...kinds), payload: fc.uint8Array({ maxLength: 60 }) })

describe('frame', () => {
  it('is the golden bytes', () => {
    expect(hex(makeFrame('message', Uint8Array.from([1, 2, 3])))).toBe('485201020000000357fbfaec010203')
    expect(hex(makeFrame('ping'))).toBe('4852010300000000a7ec57da')
  })

  it('is found again at every cut of the stream (H92)', () => {
    const frames = [makeFrame('controlHello', new Uint8Array(20).fill(7)), makeFrame('ping'), makeFrame('message')]
    const stream = Buffer.concat(frames)
    for (let first = 0; first <= stream.length; first += 1) {
      for (let second = first; second <= stream.length; second += 1) {
        const { parser: each, seen } = parser()
        each.push(stream.subarray(0, first))
        each.push(stream.subarray(first, second))
        each.push(stream.subarray(second))
        expect(seen.map(({ kind }) => kind)).toEqual(['controlHello', 'ping', 'message'])
        expect(seen[0]?.payload).toBe('07'.repeat(20))
      }
    }
  })

  it('comes back whole from chunks of any size, single bytes too (H92)', () => {
    fc.assert(
      fc.property(fc.array(arbFrame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, sizes) => {
        const stream = Buffer.concat(frames.map(({ kind, payload }) => makeFrame(kind, payload)))
        const { parser: whole, seen } = parser()
        let offset = 0
        for (let place = 0; offset < stream.length; place += 1) {
          const size = sizes[place] ?? 1
          // A buffer of its own, overwritten afterwards: the parser must not keep a view of what it was given (H96).
          const chunk = Uint8Array.from(stream.subarray(offset, offset + size))
          whole.push(chunk)
          chunk.fill(0xee)
          offset += size
        }
        expect(seen).toEqual(frames.map(({ kind, payload }) => ({ kind, payload: hex(payload) })))
      }),
    )
  })

  it('comes back whole when it is larger than many chunks', () => {
    const payload = new Uint8Array(900_000).map((_, place) => place % 251)
    const stream = makeFrame('message', payload)
    const { parser: each, seen } = parser()
    for (let offset = 0; offset < stream.length; offset += 65_536) each.push(stream.subarray(offset, offset + 65_536))
    expect(seen).toEqual([{ kind: 'message', payload: hex(payload) }])
  })

  it('is refused by its header alone when it claims more than is allowed (H91)', () => {
    for (const [length, isAllowed] of [
      [511, true],
      [512, true],
      [513, false],
    ] as const) {
      const header = makeFrame('message', new Uint8Array(length)).subarray(0, FRAME_HEADER_BYTES)
      const push = (): void => parser({ limit: 512 }).parser.push(header)
      if (isAllowed) push()
      else expect(push).toThrow(/it claims 513 bytes, 512 are allowed here/)
    }
  })

  it('allocates by what has arrived, not by what is claimed (H91)', () => {
    const header = makeFrame('message', new Uint8Array(16 * 1024 * 1024)).subarray(0, FRAME_HEADER_BYTES)
    const before = process.memoryUsage().arrayBuffers
    const held = Array.from({ length: 50 }, () => {
      const { parser: each } = parser({ limit: 16 * 1024 * 1024 })
      each.push(header)
      each.push(new Uint8Array(10))
      return each
    })
    const grown = process.memoryUsage().arrayBuffers - before
    expect(held).toHaveLength(50)
    expect(grown).toBeLessThan(50 * 1024 * 1024)
  })

  it('is refused after any flip of a bit', () => {
    const frame = makeFrame('message', Uint8Array.from([1, 2, 3, 4]))
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const flipped = frame.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const { parser: each, seen } = parser()
      try {
        each.push(flipped)
      } catch (error) {
        expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
      }
      // A shorter length than the true one fails its CRC, a longer one waits for more.
      expect(seen).toEqual([])
    }
  })

  it.each([
    ['another program', Buffer.from('GET / HTTP/1.1\r\n'), /it begins with 0x4745, which is not ours/],
    ['another version', Uint8Array.from([0x48, 0x52, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]), /its version is 2, not 1/],
    ['another kind', Uint8Array.from([0x48, 0x52, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0]), /its kind 9 is unknown/],
  ])('is refused from %s', (_, bytes, reason) => {
    expect(() => parser().parser.push(bytes)).toThrow(reason)
  })

  it('is not looked at after an error or when nothing more is wanted', () => {
    const good = makeFrame('ping')
    const broken = parser()
    expect(() => broken.parser.push(Buffer.alloc(12))).toThrow(expect.objectContaining({ code: 'RAFT_CORRUPTION' }))
    broken.parser.push(good)
    expect(broken.seen).toEqual([])
    const done = parser({ isWanted: () => false })
    done.parser.push(Buffer.concat([good, good]))
    expect(done.seen).toHaveLength(1)
  })
})
