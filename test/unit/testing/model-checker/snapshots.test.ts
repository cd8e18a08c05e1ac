// What recovery makes of a snapshot and a log, and that a snapshot says what it holds.
import { describe, expect, it } from 'vitest'
import { bootstrapConfiguration } from '../../../../src/core/configuration.js'
import { EMPTY_DISK } from '../../../../src/testing/model-checker/disk.js'
import { messageText } from '../../../../src/testing/model-checker/packet.js'
import {
  installMessage,
  receivedSnapshot,
  recovered,
  type Snapshot,
} from '../../../../src/testing/model-checker/snapshots.js'

const configuration = bootstrapConfiguration([{ id: 'a', address: 'a' }])
const snapshot: Snapshot = {
  meta: {
    lastIncludedIndex: 2,
    lastIncludedTerm: 3,
    lastIncludedTimestamp: 0,
    configuration,
    configurationIndex: 1,
  },
  terms: [1, 3],
}

describe('recovery from a snapshot and a log', () => {
  it('keeps a log that holds the last entry of the snapshot, with what lies behind it', () => {
    const disk = { ...EMPTY_DISK, snapshot, terms: [1, 3, 3] }
    expect(recovered(disk)).toEqual(disk)
    expect(recovered({ ...disk, baseIndex: 2 })).toEqual({ ...disk, baseIndex: 2 })
  })

  it.each([[[]], [[1]], [[1, 2, 2]]])('resets the log %o, which does not', (terms) => {
    const disk = { ...EMPTY_DISK, snapshot, terms, configurations: [{ index: 1, configuration }] }
    const after = { baseIndex: 2, terms: [1, 3], configurations: [{ index: 1, configuration }] }
    expect(recovered(disk)).toEqual({ ...disk, ...after })
  })
})

describe('the message that a snapshot travels in', () => {
  it('holds all of it', () => {
    const message = installMessage({ to: 'c', term: 4, addedAt: 0, transfer: 1 }, snapshot)
    expect(receivedSnapshot(message)).toEqual(snapshot)
    expect(messageText(message)).toBe('sends snapshot 2:3 of [1 3] with 1{a}, transfer 1, term 4')
  })
})
