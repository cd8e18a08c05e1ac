// Results of commands on their way through the table of sessions.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KvResult } from '../../../examples/atlas-kv/src/state-machine/command.js'
import { kvResultCodec } from '../../../examples/atlas-kv/src/state-machine/result-codec.js'

const failure = fc
  .constantFrom('notInteger', 'overflow', 'expiryOutOfRange')
  .map((name) => ({ failure: name }) as const)
const result = fc.oneof(
  fc.constantFrom<KvResult[]>('OK', null, -(2n ** 63n), 2n ** 63n - 1n),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.uint8Array(),
  failure,
  fc.record(
    {
      digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      result: fc.oneof(fc.constantFrom('OK' as const, null), fc.nat(), failure),
    },
    { noNullPrototype: true },
  ),
)

describe('kvResultCodec', () => {
  it('gives every result back as it was, with its type', () => {
    fc.assert(
      fc.property(result, (value) => {
        const decoded = kvResultCodec.decode(kvResultCodec.encode(value))
        expect(decoded).toStrictEqual(value)
        // Bytes of a Buffer's type would be another value on another platform.
        expect(Buffer.isBuffer(decoded)).toBe(false)
      }),
    )
  })
})
