import { describe, expect, it } from 'vitest'
import { RaftError } from '../../../src/errors.js'
import { CommittedLog, type JudgedEntry } from '../../../src/testing/committed-log.js'
import { entry, Lab, logOf } from './lab.js'

describe('CommittedLog', () => {
  it('refuses another entry at an index that is committed', () => {
    const log = new CommittedLog()
    const at = { currentTerm: 2, nowMs: 0 }
    const [first, second] = logOf(entry(1, 1), entry(2, 1)) as [JudgedEntry, JudgedEntry]
    expect(log.committed(first, at)).toEqual({ isNew: true })
    expect(log.committed(second, at)).toEqual({ isNew: true })
    expect(log.committed(second, at)).toEqual({ isNew: false })
    const [, other] = logOf(entry(1, 1), entry(2, 2)) as [JudgedEntry, JudgedEntry]
    expect(log.committed(other, at)).toMatchObject({ problem: expect.stringMatching(/committed twice/) })
  })

  it('sees two logs that differ below an entry that both hold (log matching)', () => {
    const log = new CommittedLog()
    const [, one] = logOf(entry(1, 1, 7), entry(2, 2)) as [JudgedEntry, JudgedEntry]
    const [, other] = logOf(entry(1, 1, 8), entry(2, 2)) as [JudgedEntry, JudgedEntry]
    expect(log.appended(one)).toBeNull()
    expect(log.appended(one)).toBeNull()
    expect(log.appended(other)).toMatch(/entry 2 of term 2/)
  })

  it('knows what was committed before a term, and by a time', () => {
    const log = new CommittedLog()
    logOf(entry(1, 1), entry(2, 3), entry(3, 3)).forEach((judged, at) => {
      log.committed(judged, { currentTerm: judged.entry.term, nowMs: at * 10 })
    })
    expect([1, 2, 3, 4].map((term) => log.lastIndexBefore(term))).toEqual([0, 1, 1, 3])
    expect([-1, 0, 9, 10, 25].map((atMs) => log.lastIndexAt(atMs))).toEqual([0, 1, 1, 2, 3])
  })
})

describe('Invariants', () => {
  it('allows one leader a term, and the same one twice', () => {
    const { invariants } = new Lab('a', 'b', 'c')
    invariants.leads('a', 1)
    invariants.leads('b', 2)
    invariants.leads('a', 1)
    expect(invariants.violation).toBeNull()
    expect(invariants.latestLeader).toBe('b')
    invariants.leads('c', 2)
    expect(invariants.violation).toMatch(/b and c both lead term 2/)
  })

  it('wants a committed entry durable on a quorum at first sight (H27)', async () => {
    const lab = new Lab('a', 'b', 'c')
    await lab.write('a', entry(1, 1))
    await lab.write('b', entry(1, 1))
    lab.commit(...logOf(entry(1, 1)))
    expect(lab.invariants.violation).toBeNull()
    lab.commit(...logOf(entry(1, 1), entry(2, 1)).slice(1))
    expect(lab.invariants.violation).toMatch(/entry 2 of term 1 is committed, but durable on 0 of 3/)
  })

  it('wants an entry durable on a node before that node applies it', async () => {
    const lab = new Lab('a', 'b', 'c')
    await lab.write('a', entry(1, 1))
    await lab.write('b', entry(1, 1))
    lab.commit(...logOf(entry(1, 1)))
    lab.invariants.applies('a', 0, { index: 1, term: 1, timestamp: 0 })
    expect(lab.invariants.violation).toBeNull()
    lab.invariants.applies('c', 0, { index: 1, term: 1, timestamp: 0 })
    expect(lab.invariants.violation).toMatch(/c: applied entry 1 of term 1 before it was durable there/)
  })

  it('wants each committed command applied once, in order, none left out, with one result', async () => {
    const apply = async (steps: readonly [last: number, index: number, term: number][]): Promise<string | null> => {
      const lab = new Lab('a')
      await lab.write('a', entry(1, 1), entry(2, 1), entry(3, 1))
      lab.commit(...logOf(entry(1, 1), entry(2, 1), entry(3, 1)))
      for (const [last, index, term] of steps) lab.invariants.applies('a', last, { index, term, timestamp: 0 })
      return lab.invariants.violation
    }
    expect(
      await apply([
        [0, 1, 1],
        [1, 2, 1],
        [2, 3, 1],
      ]),
    ).toBeNull()
    expect(
      await apply([
        [0, 1, 1],
        [1, 1, 1],
      ]),
    ).toMatch(/applied 1 after 1/)
    expect(await apply([[1, 3, 1]])).toMatch(/did not apply the command at 2/)
    expect(await apply([[0, 1, 2]])).toMatch(/entry 1 of term 2, which is not committed/)
    expect(await apply([[3, 4, 1]])).toMatch(/entry 4 of term 1, which is not committed/)
    const { invariants } = new Lab('a')
    invariants.applied('a', 1, { sum: 1 })
    invariants.applied('b', 1, { sum: 1 })
    expect(invariants.violation).toBeNull()
    invariants.applied('c', 1, { sum: 2 })
    expect(invariants.violation).toMatch(/at 1 gave another result on c than on a/)
  })

  it('keeps the first violation', () => {
    const { invariants } = new Lab('a')
    invariants.fail('liveness', 'one')
    invariants.fail('stop', 'two')
    expect(invariants.violation).toBe('one')
    expect(invariants.violatedCheck).toBe('liveness')
  })
})

describe('History', () => {
  const one = Uint8Array.of(1)
  const two = Uint8Array.of(2)
  const committed = async (): Promise<Lab> => {
    const lab = new Lab('a')
    await lab.write('a', entry(1, 1), entry(2, 1))
    lab.commit(...logOf(entry(1, 1), entry(2, 1)))
    return lab
  }
  const placed = (index: number, result = index, term = 1): { index: number; term: number; result: number } => {
    return { index, term, result }
  }

  it('accepts calls that told the truth', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(one), [placed(1)], 1)
    lab.history.failed(lab.call(two), new RaftError('RAFT_TIMEOUT', 'late', { outcome: 'unknown' }), 2)
    lab.history.failed(lab.call(Uint8Array.of(3)), new RaftError('RAFT_NO_LEADER', 'none'), 3)
    lab.history.checkOutcomes()
    expect(lab.invariants.violation).toBeNull()
  })

  it('refuses a rejected command that is in the log (H36)', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(one), [placed(1)], 1)
    lab.history.failed(lab.call(two), new RaftError('RAFT_NO_LEADER', 'none'), 2)
    lab.history.checkOutcomes()
    expect(lab.invariants.violation).toMatch(/1 times in the committed log, where its calls allow 0 to 0/)
  })

  it('refuses a command that stands twice in the log (H37)', async () => {
    const lab = new Lab('a')
    await lab.write('a', entry(1, 1, 5), entry(2, 1, 5))
    lab.commit(...logOf(entry(1, 1, 5), entry(2, 1, 5)))
    lab.history.failed(lab.call(Uint8Array.of(5)), new RaftError('RAFT_TIMEOUT', 'late', { outcome: 'unknown' }), 1)
    lab.history.checkOutcomes()
    expect(lab.invariants.violation).toMatch(/2 times in the committed log, where its calls allow 0 to 1/)
  })

  it('refuses a command that nobody proposed', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(one), [placed(1)], 1)
    lab.history.checkOutcomes()
    expect(lab.invariants.violation).toMatch(/nobody proposed it/)
  })

  it('refuses an answer for another entry than the one in the log (H35)', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(one), [placed(2)], 1)
    lab.history.failed(lab.call(two), new RaftError('RAFT_TIMEOUT', 'late', { outcome: 'unknown' }), 2)
    lab.history.checkOutcomes()
    expect(lab.invariants.violation).toMatch(/resolved at 2 of term 1, where the log holds something else/)
  })

  it('refuses a result that the state machines did not give', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(one), [placed(1, 99)], 1)
    expect(lab.invariants.violation).toMatch(/its result at 1/)
  })

  it('refuses a proposal that takes effect before what was known when it began', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(two), [placed(2)], 1)
    lab.history.proposed(lab.call(one), [placed(1)], 2)
    expect(lab.invariants.violation).toMatch(/stands at 1, but 2 was known before it began/)
  })

  it('refuses a linearizable read of less than was known when it began, but not a local one (F19)', async () => {
    const lab = await committed()
    lab.history.proposed(lab.call(two), [placed(2)], 1)
    lab.history.read(lab.call(), { index: 1, value: 0, isLinearizable: false }, 2)
    lab.history.read(lab.call(), { index: 2, value: 0, isLinearizable: true }, 2)
    expect(lab.invariants.violation).toBeNull()
    lab.history.read(lab.call(), { index: 1, value: 0, isLinearizable: true }, 3)
    expect(lab.invariants.violation).toMatch(/stale: it read 1, but 2 was known/)
  })

  it('refuses calls on one node that take effect out of order, unless one failed between them (F17)', async () => {
    const inOrder = async (failsBetween: boolean): Promise<string | null> => {
      const lab = await committed()
      const first = lab.call(two)
      if (failsBetween) lab.history.failed(lab.call(Uint8Array.of(9)), new RaftError('RAFT_NO_LEADER', 'none'), 1)
      const second = lab.call(one)
      lab.history.proposed(first, [placed(2)], 1)
      lab.history.proposed(second, [placed(1)], 1)
      lab.history.checkOutcomes()
      return lab.invariants.violation
    }
    expect(await inOrder(true)).toBeNull()
    expect(await inOrder(false)).toMatch(/stands at 1, before an earlier call of its node at 2/)
  })

  it('refuses a call that never settles, an error that is no RaftError, and one that may not happen', async () => {
    const open = await committed()
    open.call()
    open.history.checkOutcomes()
    expect(open.invariants.violation).toMatch(/it never settled/)
    const foreign = await committed()
    foreign.history.failed(foreign.call(one), new TypeError('oops'), 1)
    expect(foreign.invariants.violation).toMatch(/no RaftError: TypeError: oops/)
    const damning = await committed()
    damning.history.failed(damning.call(one), new RaftError('RAFT_INVARIANT', 'broken', { outcome: 'unknown' }), 1)
    expect(damning.invariants.violation).toMatch(/RAFT_INVARIANT: broken/)
  })

  it('calls what a dead process left open unknown, for ever', async () => {
    const lab = await committed()
    const record = lab.call(one)
    lab.history.abandon('a', 1, 5)
    lab.history.proposed(record, [placed(1)], 6)
    expect(record.outcome).toBe('unknown')
    expect(lab.history.openOf('a', 1)).toEqual([])
  })
})
