import fc from 'fast-check'
import { bytesCodec, jsonCodec, msgpackCodec } from 'helios-raft'
import { describe, expect, test } from 'vitest'

const roundTrip = (codec: typeof msgpackCodec, value: unknown) => codec.decode(new Uint8Array(codec.encode(value)))
const refusal = (code: () => unknown) => {
  try {
    code()
  } catch (error) {
    expect(error).toMatchObject({ code: 'RAFT_INVALID_OPTION' })
    return (error as Error).message
  }
  return 'accepted'
}
/** -0 becomes 0: what counts is that the stored form means the same on every node (H104). */
const withoutNegativeZero = (value: unknown): unknown => {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, withoutNegativeZero(held)]))
}
const cycle: { self?: unknown } = {}
cycle.self = cycle
class Point {}

describe('msgpackCodec', () => {
  test('carries every plain value, and decodes what it encoded to the same bytes', () => {
    const key = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__')
    const plain = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true }),
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array(),
        fc.array(tie('value')),
        fc.dictionary(key, tie('value'), { noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(plain, (value) => {
        const decoded = roundTrip(msgpackCodec, value)
        expect(decoded).toEqual(withoutNegativeZero(value))
        expect(roundTrip(msgpackCodec, decoded)).toEqual(decoded)
        expect(new Uint8Array(msgpackCodec.encode(decoded))).toEqual(new Uint8Array(msgpackCodec.encode(value)))
      }),
      { examples: [[-0], [{ deep: [-0, 'text'] }]] },
    )
  })

  test('keeps integers exact to 2^53 - 1 (H102)', () => {
    for (const value of [0, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1, -(2 ** 53 - 1)]) {
      expect(roundTrip(msgpackCodec, value)).toBe(value)
    }
  })

  test('copies bytes out of its input (H96)', () => {
    const data = new Uint8Array(msgpackCodec.encode({ data: Uint8Array.of(1, 2, 3) }))
    const decoded = msgpackCodec.decode(data) as { data: Uint8Array }
    data.fill(0)
    expect(decoded.data).toEqual(Uint8Array.of(1, 2, 3))
    expect(Object.getPrototypeOf(decoded.data)).toBe(Uint8Array.prototype)
    expect(
      Object.getPrototypeOf(
        (msgpackCodec.decode(Buffer.from(msgpackCodec.encode([Uint8Array.of(1)]))) as unknown[])[0],
      ),
    ).toBe(Uint8Array.prototype)
  })

  test('takes constructor and toString as keys like any other (H103)', () => {
    const value = { constructor: 1, toString: 2, hasOwnProperty: 3 }
    expect(roundTrip(msgpackCodec, value)).toEqual(value)
  })

  test.each([
    ['undefined', undefined, 'the value is undefined'],
    ['a function', { a: { f: () => 1 } }, "'a.f' is a function"],
    ['a symbol', [Symbol('s')], "'[0]' is a symbol"],
    ['a bigint', { n: 1n }, "'n' is a bigint"],
    ['a class', { p: new Point() }, "'p' is a Point"],
    ['a Date', { at: new Date(0) }, "'at' is a Date"],
    ['a Map', new Map(), 'the value is a Map'],
    ['a typed array other than bytes', new Float64Array(1), 'the value is a Float64Array'],
    ['undefined in an array', [1, undefined], "'[1]' is undefined"],
    ['a hole', [1, , 2], "'[1]' is undefined"],
    ['the key __proto__', JSON.parse('{"__proto__": 1}'), "the key '__proto__'"],
    ['a symbol as a key', { [Symbol('s')]: 1 }, 'a symbol as a key'],
    ['a cycle', cycle, 'a cycle'],
  ])('refuses %s when it is proposed, and says where', (_what, value, message) => {
    expect(refusal(() => msgpackCodec.encode(value))).toContain(message)
  })

  test('throws on bytes that are no MessagePack', () => {
    expect(() => msgpackCodec.decode(Uint8Array.of(1, 2))).toThrow()
    expect(() => msgpackCodec.decode(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff))).toThrow()
  })
})

describe('jsonCodec', () => {
  test('carries JSON', () => {
    const value = { a: [1, 2.5, 'x', null, true], b: { c: '\u2028' } }
    expect(roundTrip(jsonCodec, value)).toEqual(value)
  })

  test.each([
    ['NaN', { n: Number.NaN }, "'n' is the number NaN"],
    ['bytes', { b: new Uint8Array(1) }, "'b' is bytes"],
    ['undefined', { u: undefined }, "'u' is undefined"],
  ])('refuses %s, which JSON would change in silence', (_what, value, message) => {
    expect(refusal(() => jsonCodec.encode(value))).toContain(message)
  })

  test('throws on bytes that are not UTF-8 or not JSON', () => {
    expect(() => jsonCodec.decode(Uint8Array.of(0xff))).toThrow()
    expect(() => jsonCodec.decode(Uint8Array.of(0x7b))).toThrow()
  })
})

describe('bytesCodec', () => {
  test('decodes to a copy (H96)', () => {
    const data = Uint8Array.of(1, 2)
    const decoded = bytesCodec.decode(data)
    decoded[0] = 9
    expect(data).toEqual(Uint8Array.of(1, 2))
  })

  test('refuses anything but bytes', () => {
    expect(refusal(() => bytesCodec.encode('text' as never))).toContain('not a string')
  })
})
