// LevelDB's journal, looked at before LevelDB opens it: it drops damaged records without a word, and what it dropped was
// acknowledged. Damage with an intact record behind it is refused; damage at the very end is a torn write, which
// nobody was told of, and LevelDB cuts it (F36, H81).
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RaftError } from '../../errors.js'
import { LEAVE_OFF } from './failures.js'

/** Records never cross blocks of this size; each has a header of CRC-32C (4 bytes), length (2) and type (1). */
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const CASTAGNOLI = 0x82f63b78
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  let crc = value
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1
  return crc >>> 0
})

/** Reads every journal in the folder of a closed database. @throws RaftError RAFT_CORRUPTION naming file and offset */
export async function refuseDamagedJournal(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\d+\.log$/.test(name)) continue
    const path = join(folder, name)
    const offset = damageWithRecordsBehind(await readFile(path))
    if (offset === null) continue
    const text = `The journal '${path}' is damaged at byte ${offset}, with intact records behind it`
    throw new RaftError('RAFT_CORRUPTION', `${text}. ${LEAVE_OFF}.`)
  }
}

/** Where the first damaged record begins, if an intact one follows; else null. */
export function damageWithRecordsBehind(journal: Uint8Array): number | null {
  const view = new DataView(journal.buffer, journal.byteOffset, journal.byteLength)
  let damagedAt: number | null = null
  let at = 0
  while (at < journal.length) {
    const blockEnd = Math.min(journal.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES)
    const next = recordEnd(journal, view, at, blockEnd)
    if (next === 'filler') {
      at = blockEnd
    } else if (isIntact(journal, view, at, next)) {
      if (damagedAt !== null) return damagedAt
      at = next
    } else {
      damagedAt ??= at
      // A damaged length leads nowhere: the next block begins anew.
      at = next > blockEnd ? blockEnd : next
    }
  }
  return null
}

/** Too short for a header, or zeros of a file that was made longer in advance: LevelDB skips both. */
function recordEnd(journal: Uint8Array, view: DataView, at: number, blockEnd: number): number | 'filler' {
  if (blockEnd - at < HEADER_BYTES) return 'filler'
  const length = view.getUint16(at + 4, true)
  return journal[at + 6] === 0 && length === 0 ? 'filler' : at + HEADER_BYTES + length
}

function isIntact(journal: Uint8Array, view: DataView, at: number, end: number): boolean {
  if (end > journal.length) return false
  let crc = 0xffff_ffff
  for (let byte = at + 6; byte < end; byte++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (journal[byte] ?? 0)) & 0xff] ?? 0)
  crc = (crc ^ 0xffff_ffff) >>> 0
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  return masked === view.getUint32(at, true)
}
