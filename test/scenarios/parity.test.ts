// The table of PARITY.md has no hole: every scenario of scenario-names.txt has one row, and each row that claims a test
// names one that exists.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AWAITED_FEATURES, complaintAbout, parseNames, parseTable, type Verdict } from './parity-table.js'

const root = new URL('../../', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')
const rows = parseTable(read('PARITY.md'))
const names = parseNames(read('scenario-names.txt'))

/** Groups in which no row may be open any more. */
const FINISHED: readonly string[] = [
  'Election',
  'Replication, commit, flow',
  'Reads',
  'Membership',
  'Transfer',
  'Snapshot, restart, storage',
  'Transport, lifecycle, faults',
]

describe('scenario parity', () => {
  it('gives every scenario of the list exactly one row, in its group, and no row to anything else', () => {
    expect(names.length).toBeGreaterThan(500)
    expect(new Set(names).size).toBe(names.length)
    const found = rows.map(({ group, name }) => `${group}: ${name}`)
    expect(found.toSorted()).toEqual(names.toSorted())
  })

  it('says of every scenario what it asserts, and of every row where that stands', () => {
    const unsaid = rows.filter(({ asserts, verdict }) => asserts.trim() === '' || verdict.type === 'unreadable')
    expect(unsaid.map(({ name }) => name)).toEqual([])
  })

  it('leaves no row open in the groups that are finished', () => {
    const open = rows.filter(({ group, verdict }) => FINISHED.includes(group) && verdict.type === 'open')
    expect(open.map(({ name }) => name)).toEqual([])
    // A group that was renamed would be finished for ever.
    expect(FINISHED.filter((group) => rows.every((row) => row.group !== group))).toEqual([])
  })

  it('names only tests that exist', () => {
    const complaints = rows.flatMap(({ name, verdict }) => {
      const found = verdict.type === 'tests' ? verdict.tests.map((test) => complaintAbout(test, root)) : []
      return found.filter((complaint) => complaint !== null).map((complaint) => `${name}: ${complaint}`)
    })
    expect(complaints).toEqual([])
  })

  it('waits only for features that are known to be missing', () => {
    const features = rows.flatMap(({ verdict }) => (verdict.type === 'waits' ? [verdict.feature] : []))
    expect(features.filter((feature) => !AWAITED_FEATURES.includes(feature))).toEqual([])
  })
})

describe('the reader of the table', () => {
  const verdictOf = (cell: string): Verdict | undefined =>
    parseTable(`## G\n| E | Name | asserts | ${cell} |`)[0]?.verdict

  it.each([
    ['open', { type: 'open' }],
    ['waits for: WAL store', { type: 'waits', feature: 'WAL store' }],
    ['not ours: a reason', { type: 'notOurs', reason: 'a reason' }],
    ['', { type: 'unreadable' }],
    ['waits for:', { type: 'unreadable' }],
    ['a test without a file', { type: 'unreadable' }],
    ['`a.test.ts` one<br>and more', { type: 'unreadable' }],
  ])('reads the cell "%s"', (cell, verdict) => {
    expect(verdictOf(cell)).toEqual(verdict)
  })

  it('reads each test of a cell, and a script by its file alone', () => {
    const tests = [
      { file: 'a.test.ts', name: 'one, and `another`' },
      { file: 'b.txt', name: '' },
    ]
    expect(verdictOf('`a.test.ts` one, and `another`<br>`b.txt`')).toEqual({ type: 'tests', tests })
  })

  it.each([
    { file: 'test/scenarios/election.txt', name: '', complaint: null },
    { file: 'test/scenarios/no-such-story.txt', name: '', complaint: 'there is no test/scenarios/no-such-story.txt' },
    {
      file: 'test/scenarios/election.txt',
      name: 'x',
      complaint: 'test/scenarios/election.txt is a script and has one story',
    },
    { file: 'test/paper/section-5.2.test.ts', name: 'each node in turn can be elected', complaint: null },
    {
      file: 'test/paper/section-5.2.test.ts',
      name: 'each node',
      complaint: "test/paper/section-5.2.test.ts has no test 'each node'",
    },
    { file: 'src/testing/log-store-cases.ts', name: 'close is idempotent', complaint: null },
  ])('says of $file and "$name": $complaint', ({ complaint, ...reference }) => {
    expect(complaintAbout(reference, root)).toBe(complaint)
  })
})
