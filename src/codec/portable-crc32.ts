// CRC-32 (the polynomial of zlib) in plain JavaScript, for modules that also run in a browser: it tells at once that a chunk
// of a snapshot was damaged on its way, whatever carried it. Four tables, because one
// takes three times as long.

const POLYNOMIAL = 0xedb8_8320
const TABLES: readonly Uint32Array[] = makeTables()

/** CRC-32 of `bytes`, an unsigned 32-bit integer; the same number as zlib's. */
export function portableCrc32(bytes: Uint8Array): number {
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
