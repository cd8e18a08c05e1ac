import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlainReader } from '../../../../src/testing/flight/plain-reader.js'
import { PlainWriter } from '../../../../src/testing/flight/plain-writer.js'

/** Through bytes and back, one after the other in one stream. */
function travelled(values: readonly unknown[], isRedacting = false): unknown[] {
  const writer = new PlainWriter(isRedacting)
  const reader = new PlainReader()
  return values.map((value) => {
    writer.value(value)
    reader.open(writer.take())
    const read = reader.value()
    expect(reader.isAtEnd).toBe(true)
    return read
  })
}

describe('plain data', () => {
  it('comes back as it was, with its types and its order', () => {
    const [leaf, key] = [
      fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.constant(undefined)),
      fc.string(),
    ]
    const plain = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.uint8Array(),
        fc.constantFrom(null, true, false, Number.NEGATIVE_INFINITY, 2 ** 31, 2 ** 53 - 1, -1, 223, 224, 127, 128),
        fc.array(tie('value')),
        fc.dictionary(fc.oneof(key, fc.constant('__proto__')), tie('value'), { noNullPrototype: true }),
        fc.array(tie('value')).map((items) => new Set(items)),
        fc.array(fc.tuple(leaf, tie('value'))).map((items) => new Map(items)),
      ),
    })).value
    fc.assert(
      fc.property(fc.array(plain), (values) => {
        // A negative zero is written as zero: the core makes no difference.
        const read = travelled(values)
        expect(read).toEqual(values.map(withoutNegativeZero))
        expect(JSON.stringify(read)).toBe(JSON.stringify(values))
      }),
      { seed: 46, numRuns: 300 },
    )
  })

  it('writes names and short texts once', () => {
    const writer = new PlainWriter(false)
    const sizes = [1, 2, 3].map((term) => {
      writer.value({ type: 'heartbeat', term, addedAt: 0 })
      return writer.take().length
    })
    expect(sizes).toEqual([36, 6, 6])
  })

  it('has no end of what it takes behind the texts and shapes that get a number', () => {
    const values = Array.from({ length: 4_100 }, (_, at) => ({ [`name ${at}`]: `text ${at}` }))
    expect(travelled([...values, ...values])).toEqual([...values, ...values])
  })

  it('keeps of bytes how many they are, when asked to, but for configurations and digests', () => {
    const data = Uint8Array.of(1, 2, 3)
    const zeros = new Uint8Array(3)
    expect(
      travelled(
        [
          { type: 'propose', commands: [data] },
          {
            type: 'appendEntries',
            entries: [
              { type: 'command', data },
              { type: 'configuration', data },
              { type: 'noop', data },
            ],
          },
          { chunk: data, digest: data },
        ],
        true,
      ),
    ).toEqual([
      { type: 'propose', commands: [zeros] },
      {
        type: 'appendEntries',
        entries: [
          { type: 'command', data: zeros },
          { type: 'configuration', data },
          { type: 'noop', data: zeros },
        ],
      },
      { chunk: zeros, digest: data },
    ])
  })

  it('refuses a cycle, and what is no data', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    expect(() => travelled([cycle])).toThrow('deeper than 32')
    expect(() => travelled([{ big: 1n }])).toThrow('a bigint is no plain data')
  })

  it('is never read beyond its end', () => {
    const writer = new PlainWriter(false)
    writer.value({ type: 'text', list: [1, 2.5, 'x'.repeat(100)], bytes: new Uint8Array(9), map: new Map([[1, 2]]) })
    const bytes = writer.take()
    for (let length = 0; length < bytes.length; length++) {
      const reader = new PlainReader()
      reader.open(bytes.subarray(0, length))
      expect(() => reader.value()).toThrow(TypeError)
    }
  })
})

function withoutNegativeZero(value: unknown): unknown {
  if (value === 0) return 0
  if (value instanceof Set) return new Set([...value].map(withoutNegativeZero))
  if (value instanceof Map)
    return new Map([...value].map(([key, item]) => [withoutNegativeZero(key), withoutNegativeZero(item)]))
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutNegativeZero(item)]))
}
