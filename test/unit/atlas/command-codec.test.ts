// The encoding of commands in the log: round trip, sizes, strictness.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commandSize, kvCommandCodec } from '../../../examples/atlas-kv/src/state-machine/command-codec.js'
import { arbCommand, set } from './commands.js'

describe('kvCommandCodec', () => {
  it('gives every command back as it was, in the size that was computed', () => {
    fc.assert(
      fc.property(arbCommand, (command) => {
        const encoded = kvCommandCodec.encode(command)
        expect(encoded.length).toBe(commandSize(command))
        expect(kvCommandCodec.decode(encoded)).toEqual(command)
      }),
    )
  })

  it('refuses every cut, and every byte too many', () => {
    fc.assert(
      fc.property(arbCommand, (command) => {
        const encoded = kvCommandCodec.encode(command)
        for (let length = 0; length < encoded.length; length++) {
          expect(() => kvCommandCodec.decode(encoded.subarray(0, length))).toThrow(/can't be decoded/)
        }
        expect(() => kvCommandCodec.decode(Buffer.concat([encoded, Buffer.of(0)]))).toThrow(/left over/)
      }),
    )
  })

  it('throws nothing but RAFT_CORRUPTION for any bytes, and allocates no announced length (H91)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
        try {
          kvCommandCodec.decode(data)
        } catch (error) {
          expect(error).toMatchObject({ code: 'RAFT_CORRUPTION' })
        }
      }),
      { numRuns: 2_000 },
    )
    // A delete of 2^42 keys in seven bytes.
    expect(() => kvCommandCodec.decode(Uint8Array.of(2, 128, 128, 128, 128, 128, 128, 1))).toThrow(/can't hold/)
  })

  it('refuses a number that is not in its shortest form', () => {
    expect(() => kvCommandCodec.decode(Uint8Array.of(5, 0x81, 0x00, 97))).toThrow(/shortest form/)
  })

  it('keeps no view of its input (H96)', () => {
    const encoded = Uint8Array.from(kvCommandCodec.encode(set('key', 'value')))
    const decoded = kvCommandCodec.decode(encoded)
    encoded.fill(0)
    expect(decoded).toEqual(set('key', 'value'))
    if (decoded.type === 'set') expect(decoded.value.buffer.byteLength).toBe(5)
  })
})
