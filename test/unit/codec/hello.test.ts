import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHello, encodeHello, type Hello, MAX_HELLO_BYTES } from '../../../src/codec/hello.js'
import { isRaftError } from '../../../src/errors.js'

const sample: Hello = {
  minVersion: 1,
  maxVersion: 2,
  clusterId: 'orders-eu',
  nonce: 'a1b2',
  nodeId: 'node-1',
  storeId: '00112233445566778899aabbccddeeff',
  bootCount: 5,
  bootstrapDigest: 'cbf29ce484222325',
  maxMessageBytes: 8 * 1024 * 1024,
}
const GOLDEN =
  '48454c520100010002096f72646572732d65750461316232066e6f64652d312030303131323233333434353536363737383839396161626263636464656566661063626632396365343834323232333235000000000000000500000000008000000000'

const text = fc.string({ unit: fc.constantFrom(...'abcXYZ019._-é→'.split('')), maxLength: 20 })
const arbHello: fc.Arbitrary<Required<Hello>> = fc
  .record({
    versions: fc.tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0xffff })),
    clusterId: text,
    nonce: text,
    nodeId: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    storeId: fc.uuid(),
    bootCount: fc.maxSafeNat(),
    bootstrapDigest: text,
    maxMessageBytes: fc.integer({ min: 1, max: 2 ** 31 }),
    auth: fc.uint8Array({ maxLength: 96 }),
  })
  .map(({ versions, ...rest }) => ({ minVersion: Math.min(...versions), maxVersion: Math.max(...versions), ...rest }))

describe('hello', () => {
  it('is written as the golden bytes, with an empty place for proofs', () => {
    expect(Buffer.from(encodeHello(sample)).toString('hex')).toBe(GOLDEN)
    expect(decodeHello(Buffer.from(GOLDEN, 'hex'))).toEqual({ ...sample, auth: new Uint8Array(0) })
  })

  it('comes back as it was', () => {
    fc.assert(
      fc.property(arbHello, (hello) => {
        expect(decodeHello(encodeHello(hello))).toEqual(hello)
      }),
    )
  })

  it('fits its limit with every field at its longest', () => {
    const longest: Hello = {
      ...sample,
      clusterId: 'c'.repeat(128),
      nonce: 'n'.repeat(64),
      nodeId: 'i'.repeat(64),
      storeId: 's'.repeat(64),
      bootstrapDigest: 'd'.repeat(64),
      auth: new Uint8Array(96),
    }
    expect(encodeHello(longest).byteLength).toBeLessThanOrEqual(MAX_HELLO_BYTES)
    expect(decodeHello(encodeHello(longest))).toEqual(longest)
  })

  it.each([
    ['clusterId', 'c'.repeat(129)],
    ['nonce', 'n'.repeat(65)],
    ['storeId', ''],
    ['storeId', 's'.repeat(65)],
    ['bootstrapDigest', 'd'.repeat(65)],
    ['nodeId', ''],
    ['nodeId', 'i'.repeat(65)],
    ['nodeId', 'node 1'],
    ['clusterId', 'two\nlines'],
    ['clusterId', '\ud800'],
    ['minVersion', 0],
    ['minVersion', 3],
    ['maxVersion', 0x1_0000],
    ['bootCount', -1],
    ['bootCount', 2 ** 53],
    ['maxMessageBytes', 0],
    ['auth', new Uint8Array(97)],
  ])('refuses to say a %s out of bounds', (name: string, value: unknown) => {
    expect(() => encodeHello({ ...sample, [name]: value })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_OPTION' }),
    )
  })

  it('refuses every truncation, everything that follows, and more than its limit', () => {
    const encoded = encodeHello(sample)
    for (let length = 0; length < encoded.byteLength; length += 1) {
      expect(() => decodeHello(encoded.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'RAFT_CORRUPTION' }),
      )
    }
    for (const length of [encoded.byteLength + 1, MAX_HELLO_BYTES + 1]) {
      const longer = new Uint8Array(length)
      longer.set(encoded)
      expect(() => decodeHello(longer)).toThrow(expect.objectContaining({ code: 'RAFT_CORRUPTION' }))
    }
  })

  it('refuses a proof longer than its place, although it would fit the hello', () => {
    const longest = encodeHello({ ...sample, auth: new Uint8Array(96) })
    const longer = new Uint8Array(longest.byteLength + 1)
    longer.set(longest)
    longer[longest.byteLength - 97] = 97
    expect(() => decodeHello(longer)).toThrow(/auth has 97 bytes, more than 96/)
  })

  it('reads every bit flip as corruption, another version, or another valid hello', () => {
    const encoded = encodeHello({ ...sample, auth: Uint8Array.from([1, 2, 3]) })
    for (let bit = 0; bit < encoded.byteLength * 8; bit += 1) {
      const flipped = encoded.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      try {
        expect(encodeHello(decodeHello(flipped))).toEqual(flipped)
      } catch (error) {
        if (!isRaftError(error, 'RAFT_CORRUPTION', 'RAFT_VERSION')) throw error
      }
    }
  })

  it('says RAFT_VERSION of a format that came later, whatever follows', () => {
    const later = encodeHello(sample).subarray(0, 5)
    later[4] = 2
    expect(() => decodeHello(later)).toThrow(expect.objectContaining({ code: 'RAFT_VERSION' }))
  })

  it('keeps no view of its input (H96)', () => {
    const encoded = encodeHello({ ...sample, auth: Uint8Array.from([1, 2, 3]) })
    const decoded = decodeHello(encoded)
    encoded.fill(0)
    expect(decoded.auth).toEqual(Uint8Array.from([1, 2, 3]))
  })
})
