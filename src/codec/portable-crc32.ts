// CRC-32 (the polynomial of zlib) for modules that also run in a browser: it tells at once that a chunk of a snapshot was
// damaged on its way, whatever carried it. zlib's own where there is one, which is seven times as fast; else plain JavaScript,
// with four tables, because one takes three times as long.

/** CRC-32 of `bytes`, an unsigned 32-bit integer. */
export const portableCrc32: (bytes: Uint8Array) => number = ofPlatform() ?? plainCrc32

/** zlib's, asked for in a way that a browser and its bundler don't stumble over; null where there is none. */
function ofPlatform(): ((bytes: Uint8Array) => number) | null {
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib')
  return typeof zlib?.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : null
}

const POLYNOMIAL = 0xedb8_8320
const TABLES: readonly Uint32Array[] = makeTables()

/** The same number as zlib's, without it. */
export function plainCrc32(bytes: Uint8Array): number {
  const [table0, table1, table2, table3] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  const length = bytes.byteLength
  const whole = length - (length % 4)
  let crc = 0xffff_ffff
  let at = 0
  for (; at < whole; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (table3[crc & 0xff] as number) ^
      (table2[(crc >>> 8) & 0xff] as number) ^
      (table1[(crc >>> 16) & 0xff] as number) ^
      (table0[crc >>> 24] as number)
  }
  for (; at < length; at++) crc = (crc >>> 8) ^ (table0[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return ~crc >>> 0
}

/** The first is the usual one; the others are it applied once, twice and three times more. */
function makeTables(): readonly Uint32Array[] {
  const first = new Uint32Array(256).map((_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    return value
  })
  const next = (table: Uint32Array) => table.map((value) => (value >>> 8) ^ (first[value & 0xff] as number))
  const second = next(first)
  const third = next(second)
  return [first, second, third, next(third)]
}
