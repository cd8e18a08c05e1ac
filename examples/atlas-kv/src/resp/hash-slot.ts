// The hash slot of a key as Redis Cluster computes it (CRC-16/XMODEM of the key or of its {tag}), for MOVED answers.

/** 0 to 16383. @param key - one character per byte */
export function hashSlot(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (let i = 0; i < hashed.length; i++) {
    crc ^= hashed.charCodeAt(i) << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc % 16384
}
