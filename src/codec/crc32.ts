// CRC-32 (the polynomial of zlib) for what lies on disk and travels in frames. Node only: it is zlib's native code, so
// no module that the public root imports may import this file.
import { crc32 as zlibCrc32 } from 'node:zlib'

/** CRC-32 of `bytes`; `seed` is the CRC of what came before them. An unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array, seed: number = 0): number {
  return zlibCrc32(bytes, seed)
}
