// The bytes of a backup: what they are, for good, and that nothing else passes for one (H60, H89).
import type { SnapshotMeta } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { BackupDecoder, BackupEncoder, MAX_RECORD_BYTES } from '../../../src/codec/backup-format.js'

const meta: SnapshotMeta = {
  lastIncludedIndex: 7,
  lastIncludedTerm: 2,
  lastIncludedTimestamp: 1_700_000_000_000,
  configuration: { members: [{ id: 'a', address: 'a:1', suffrage: 'voter' }], votersOutgoing: [] },
  configurationIndex: 0,
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('the format of a backup', () => {
  it('is written as releases before wrote it', () => {
    const encoder = new BackupEncoder()
    const parts = [encoder.begin({ clusterId: 'blue', meta }), encoder.chunk(Uint8Array.of(1, 2, 3)), encoder.end()]
    expect(parts.map(hex)).toMatchInlineSnapshot(`
      [
        "4852424b01212fda0601000000000000004100040062006c00750065000000000000000700000000000000024278bcfe5680000000000000000000000000001301000101000001006100030061003a00310000",
        "e30cae8f020000000100000003010203",
        "c600bb22030000000200000030000000000000000100000000000000037781a9031cbd32043b673edf0a5be0e85c1e8e9bd5afaccc83711948dc08b515",
      ]
    `)
  })

  it('takes chunks up to its limit, and refuses one byte more', () => {
    const encoder = new BackupEncoder()
    encoder.begin({ clusterId: '', meta })
    for (const size of [MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES]) encoder.chunk(new Uint8Array(size))
    expect(() => encoder.chunk(new Uint8Array(MAX_RECORD_BYTES + 1))).toThrow(/1048577 bytes: at most 1048576/)
  })

  it('a record that claims more than the limit is refused before anything is waited for', () => {
    const record = new BackupEncoder().begin({ clusterId: '', meta }).subarray(5)
    const claim = (bytes: number) => {
      const head = record.slice(0, 13)
      new DataView(head.buffer).setUint32(9, bytes)
      return () => new BackupDecoder().head(head)
    }
    expect(claim(MAX_RECORD_BYTES)().payloadBytes).toBe(MAX_RECORD_BYTES)
    expect(claim(MAX_RECORD_BYTES + 1)).toThrow(/claims 1048577 bytes/)
  })

  it('tells the format of a newer release from damage', () => {
    const bytes = new BackupEncoder().begin({ clusterId: '', meta }).slice(0, 5)
    bytes[4] = 2
    expect(() => new BackupDecoder().preamble(bytes)).toThrow(expect.objectContaining({ code: 'RAFT_VERSION' }))
  })

  it('refuses a position that no state can have', () => {
    for (const wrong of [{ lastIncludedIndex: 0 }, { lastIncludedTerm: 0 }, { configurationIndex: 8 }]) {
      const bytes = new BackupEncoder().begin({ clusterId: '', meta: { ...meta, ...wrong } })
      expect(() => new BackupDecoder().header(bytes.subarray(18))).toThrow(/its position is index/)
    }
  })
})
