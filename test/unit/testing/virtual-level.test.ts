import { describe, expect, it } from 'vitest'
import { BYTES } from '../../../src/stores/level/database.js'
import { keyOf, TABLE } from '../../../src/stores/level/keys.js'
import { keyText, VirtualLevel } from '../../../src/testing/virtual-level.js'

const key = (index: number): string => keyText(keyOf(TABLE.entry, index))
const put = (index: number, byte = index % 256) => ({ key: key(index), value: Uint8Array.of(byte, byte, byte) })
const all = (level: VirtualLevel) => level.range({ ...BYTES }).map(([, value]) => value[0])

describe('VirtualLevel', () => {
  it('orders its records by the bytes of their keys, also where a byte overflows (H83)', () => {
    const level = new VirtualLevel()
    for (const index of [256, 1, 255, 2 ** 32, 300, 2]) level.apply([put(index)], true)
    expect(all(level)).toEqual([1, 2, 255, 0, 300 % 256, 0])
    const range = { ...BYTES, gt: keyOf(TABLE.entry, 2), lt: keyOf(TABLE.entry, 300) }
    expect(level.range(range).map(([, value]) => value[0])).toEqual([255, 0])
    expect(level.range({ ...range, limit: 1 })).toHaveLength(1)
  })

  it('keeps what was synced through a crash, and all that was written before it', () => {
    const level = new VirtualLevel()
    level.apply([put(1)], false)
    level.apply([put(2)], true)
    level.crash((unsynced) => unsynced)
    expect(all(level)).toEqual([1, 2])
  })

  it('loses a suffix of what was not synced, each batch whole: what it replaced is there again', () => {
    const level = new VirtualLevel()
    level.apply([put(1), put(2)], true)
    level.apply([put(1, 9), put(3)], false)
    level.apply([{ key: key(2), value: null }, put(1, 7)], false)
    level.crash(() => 1)
    expect(all(level)).toEqual([9, 2, 3])
    level.apply([put(1, 5), put(4)], false)
    level.crash((unsynced) => unsynced)
    expect(all(level)).toEqual([9, 2, 3])
  })

  it('rots one bit of one record', () => {
    const level = new VirtualLevel()
    level.apply([put(1), put(2)], true)
    level.rot(key(2))
    expect(level.get(key(1))).toEqual(Uint8Array.of(1, 1, 1))
    expect(level.get(key(2))).toEqual(Uint8Array.of(2, 2 ^ 0x10, 2))
    level.rot(key(3))
    expect(level.get(key(3))).toBeUndefined()
  })
})
