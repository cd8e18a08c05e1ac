// The rules of the LogWriter as the checker has them: answers wait for every earlier write, and a crash loses the rest.
import type { Envelope, LogEntry, Output } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { bootstrapConfiguration } from '../../../../src/core/configuration.js'
import { encodeConfiguration } from '../../../../src/core/configuration-codec.js'
import { afterCrash, complete, EMPTY_DISK, submit } from '../../../../src/testing/model-checker/disk.js'

type Handed = Pick<Output, 'append' | 'hardState' | 'messagesAfterPersist' | 'leasePromiseMs'>

const entry = (index: number, term: number): LogEntry => ({
  index,
  term,
  type: 'command',
  timestamp: 0,
  data: new Uint8Array(0),
})
const answer = (to: string): Envelope => ({ to, message: { type: 'requestVoteResponse', term: 1, voteGranted: true } })
const handed = (parts: Partial<Handed>): Handed => ({
  append: undefined,
  hardState: undefined,
  leasePromiseMs: undefined,
  messagesAfterPersist: [],
  ...parts,
})
const DIRECTORY = bootstrapConfiguration([{ id: 'a', address: 'a' }])
const configuration = (index: number, term: number): LogEntry => ({
  ...entry(index, term),
  type: 'configuration',
  data: encodeConfiguration(DIRECTORY),
})
const append = (epoch: number, ...entries: LogEntry[]) => ({ append: { entries, epoch } })

describe('the disk of a modelled node', () => {
  it('lets an answer go at once when nothing is written and nothing was', () => {
    const { released } = submit(EMPTY_DISK, handed({ messagesAfterPersist: [answer('b')] }))
    expect(released).toEqual([answer('b')])
  })

  it('holds an answer that writes nothing behind the write under way', () => {
    const writing = submit(EMPTY_DISK, handed({ hardState: { currentTerm: 1, votedFor: 'b' } })).disk
    const { disk, released } = submit(writing, handed({ messagesAfterPersist: [answer('b')] }))
    expect(released).toEqual([])
    expect(complete(disk).write.waiting).toEqual([answer('b')])
  })

  it('holds an answer behind the write that waits for the one under way', () => {
    let { disk } = submit(EMPTY_DISK, handed(append(0, entry(1, 1))))
    disk = submit(disk, handed(append(0, entry(2, 1)))).disk
    disk = submit(disk, handed({ messagesAfterPersist: [answer('c')] })).disk
    const first = complete(disk)
    expect(first.write.waiting).toEqual([])
    expect(first.disk.terms).toEqual([1])
    const second = complete(first.disk)
    expect(second.write.waiting).toEqual([answer('c')])
    expect(second.disk.terms).toEqual([1, 1])
  })

  it('merges what is handed out during a write, and a truncation replaces what it overlaps', () => {
    let { disk } = submit(EMPTY_DISK, handed(append(0, entry(1, 1), entry(2, 1))))
    disk = submit(disk, handed(append(0, entry(3, 1)))).disk
    disk = submit(disk, handed({ ...append(1, entry(2, 2)), hardState: { currentTerm: 2, votedFor: null } })).disk
    const { disk: after } = complete(complete(disk).disk)
    expect(after).toEqual({ ...EMPTY_DISK, hardState: { currentTerm: 2, votedFor: null }, terms: [1, 2] })
  })

  it('knows which entries are configurations, and forgets those that are truncated', () => {
    let { disk } = submit(EMPTY_DISK, handed(append(0, entry(1, 1), configuration(2, 1))))
    disk = submit(disk, handed(append(0, configuration(3, 1)))).disk
    disk = complete(disk).disk
    expect(disk.configurations).toEqual([{ index: 2, configuration: DIRECTORY }])
    expect(complete(disk).disk.configurations.map(({ index }) => index)).toEqual([2, 3])
    disk = submit(disk, handed(append(1, entry(3, 2)))).disk
    expect(complete(complete(disk).disk).disk.configurations.map(({ index }) => index)).toEqual([2])
    disk = submit(EMPTY_DISK, handed(append(0, configuration(1, 1)))).disk
    expect(afterCrash(disk, false)).toEqual(EMPTY_DISK)
  })

  it('loses in a crash what is not durable', () => {
    let { disk } = submit(EMPTY_DISK, handed(append(0, entry(1, 1))))
    disk = submit(disk, handed(append(0, entry(2, 1)))).disk
    expect(afterCrash(disk, false)).toEqual(EMPTY_DISK)
    expect(afterCrash(disk, true)).toEqual({ ...EMPTY_DISK, terms: [1] })
  })
})
