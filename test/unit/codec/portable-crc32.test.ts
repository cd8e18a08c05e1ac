import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/codec/crc32.js'
import { portableCrc32 } from '../../../src/codec/portable-crc32.js'

describe('portableCrc32', () => {
  it('gives the check value of the standard', () => {
    expect(portableCrc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926)
  })

  it('is the CRC of zlib, whatever the length', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => portableCrc32(bytes) === crc32(bytes)))
  })
})
