import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/codec/crc32.js'
import { plainCrc32, portableCrc32 } from '../../../src/codec/portable-crc32.js'

describe.each([
  ['of the platform', portableCrc32],
  ['in plain JavaScript', plainCrc32],
])('portableCrc32 %s', (_, crc32Of) => {
  it('gives the check value of the standard', () => {
    expect(crc32Of(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926)
  })

  it('is the CRC of zlib, whatever the length', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => crc32Of(bytes) === crc32(bytes)))
  })
})
