// Who asks for changes of the membership in a simulation: a call that resolves is committed and is what was asked for, and
// each one settles in time.
import { describe, expect, it } from 'vitest'
import type { Configuration } from '../../../src/core/index.js'
import { RaftError } from '../../../src/errors.js'
import { Coverage } from '../../../src/testing/coverage.js'
import type { ChangeFault } from '../../../src/testing/fault-plan.js'
import { MembershipChanges } from '../../../src/testing/membership-changes.js'
import type { SimulatedProcess } from '../../../src/testing/simulated-process.js'
import { runTurns } from '../../../src/testing/timeline.js'
import { commitAll, configuration } from './configurations.js'
import { type Counter } from '../../support/counter.js'
import { Lab } from './lab.js'

const ELECTION_TIMEOUT_MS = 100

interface Asked {
  readonly settle: (with_: Configuration | Error) => Promise<void>
  readonly signal: AbortSignal
}

/** A process whose node answers when a test says so. */
class Stage {
  readonly lab = new Lab('a')
  readonly coverage = new Coverage()
  readonly changes: MembershipChanges
  readonly asked: Asked[] = []
  readonly process = {
    id: 'a',
    isUp: true,
    isPaused: false,
    state: 'up',
    current: { pauseCount: 0, node: this.#node() } as { pauseCount: number; node: unknown } | null,
  }

  constructor(...committed: string[]) {
    const { timeline, invariants } = this.lab
    commitAll(invariants, committed)
    const world = { timeline, invariants, coverage: this.coverage }
    const wasWiped = (id: string): boolean => id === 'wiped'
    this.changes = new MembershipChanges({ ...world, electionTimeoutMs: ELECTION_TIMEOUT_MS, slowestRate: 1, wasWiped })
  }

  ask(fault: ChangeFault): void {
    this.changes.ask(this.process as unknown as SimulatedProcess<number, number, Counter>, fault)
  }

  async answer(with_: Configuration | Error): Promise<void> {
    await this.asked.at(-1)!.settle(with_)
  }

  /** Time passes, and nothing else. */
  async pass(ms: number): Promise<void> {
    this.lab.timeline.after(ms, () => undefined)
    await runTurns(() => this.lab.timeline.step(Number.POSITIVE_INFINITY))
  }

  get verdict(): string | null {
    return this.lab.invariants.violatedCheck
  }

  #node() {
    const call = (...given: unknown[]): Promise<Configuration> =>
      new Promise((resolve, reject) => {
        const { signal } = given.at(-1) as { signal: AbortSignal }
        const settle = (with_: Configuration | Error): Promise<void> => {
          if (with_ instanceof Error) reject(with_)
          else resolve(with_)
          return runTurns(() => false)
        }
        this.asked.push({ settle, signal })
      })
    return { addMember: call, promote: call, demote: call, removeMember: call, changeMembership: call }
  }
}

describe('a change that resolves', () => {
  it.each<[ChangeFault, string]>([
    [{ type: 'add', node: 'd' }, 'a b d'],
    [{ type: 'add', node: 'd', suffrage: 'learner' }, 'a b d?'],
    [{ type: 'promote', node: 'b' }, 'a b'],
    [{ type: 'demote', node: 'b' }, 'a b?'],
    [{ type: 'remove', node: 'b' }, 'a'],
    [{ type: 'members', voters: ['a', 'd'], learners: ['b'] }, 'a b? d'],
  ])('is fine when it is committed and is what was asked for: %j', async (fault, result) => {
    const stage = new Stage('a b', result)
    expect(stage.changes.wereAsked).toBe(false)
    stage.ask(fault)
    await stage.answer(configuration(result))
    stage.changes.checkSettled()
    expect(stage.verdict).toBeNull()
    expect(stage.changes.wereAsked).toBe(true)
    expect(stage.coverage.toRecord()).toEqual({ [`change.${fault.type}.resolved`]: 1 })
  })

  it.each<[string, ChangeFault, string, RegExp]>([
    ['is not committed', { type: 'add', node: 'd' }, 'a b c d', /is not committed/],
    ['is joint', { type: 'add', node: 'd' }, 'a b d / a b', /is joint/],
    ['lacks who was added', { type: 'add', node: 'd' }, 'a b', /is not what was asked for/],
    ['has who was removed', { type: 'remove', node: 'b' }, 'a b', /is not what was asked for/],
    ['has a learner promoted', { type: 'promote', node: 'b' }, 'a b?', /is not what was asked for/],
    ['has a voter demoted', { type: 'demote', node: 'b' }, 'a b', /is not what was asked for/],
    ['has somebody else too', { type: 'members', voters: ['a'] }, 'a b', /is not what was asked for/],
  ])('may not resolve with one that %s', async (_, fault, result, problem) => {
    const stage = new Stage('a b', 'a b d / a b', 'a b?')
    stage.ask(fault)
    await stage.answer(configuration(result))
    expect(stage.verdict).toBe('change-result')
    expect(stage.lab.invariants.violation).toMatch(problem)
  })
})

describe('a change that rejects', () => {
  it('is fine where the wish could not be granted', async () => {
    const stage = new Stage('a b')
    stage.ask({ type: 'remove', node: 'b' })
    await stage.answer(new RaftError('RAFT_INVALID_CONFIGURATION', 'no'))
    expect(stage.verdict).toBeNull()
    expect(stage.coverage.toRecord()).toEqual({ 'change.remove.RAFT_INVALID_CONFIGURATION': 1 })
  })

  it.each([new RaftError('RAFT_INVARIANT', 'broken'), new TypeError('undefined is not a function')])(
    'may not say that the node is broken: %s',
    async (error) => {
      const stage = new Stage('a b')
      stage.ask({ type: 'remove', node: 'b' })
      await stage.answer(error)
      expect(stage.verdict).toBe('call-error')
    },
  )
})

describe('a change that takes long', () => {
  it('settles within its deadline, or 20 election timeouts', async () => {
    for (const { deadline, passes } of [
      { deadline: {}, passes: 2_000 },
      { deadline: { timeoutMs: 300 }, passes: 300 },
    ]) {
      const [inTime, late] = [new Stage('a b'), new Stage('a b')]
      for (const stage of [inTime, late]) stage.ask({ type: 'demote', node: 'b', ...deadline })
      await inTime.pass(passes)
      await late.pass(passes + 51)
      for (const stage of [inTime, late]) await stage.answer(new RaftError('RAFT_TIMEOUT', 'late'))
      expect([inTime.verdict, late.verdict]).toEqual([null, 'call-deadline'])
    }
  })

  it('may be late where nobody hears of it: its process failed, was paused or lives again', async () => {
    const harms: ((stage: Stage) => void)[] = [
      ({ process }) => (process.state = 'failed'),
      ({ process }) => (process.current = null),
      ({ process }) => (process.current!.pauseCount += 1),
    ]
    for (const harm of harms) {
      const stage = new Stage('a b')
      stage.ask({ type: 'demote', node: 'b' })
      harm(stage)
      await stage.pass(5_000)
      stage.changes.checkSettled()
      await stage.answer(new RaftError('RAFT_TIMEOUT', 'late'))
      expect(stage.verdict).toBeNull()
    }
  })

  it('is called off at the end, and must settle then', async () => {
    const stage = new Stage('a b')
    stage.ask({ type: 'demote', node: 'b' })
    const { signal } = stage.asked[0]!
    expect(signal.aborted).toBe(false)
    stage.changes.end()
    expect(signal.aborted).toBe(true)
    stage.changes.checkSettled()
    expect(stage.verdict).toBe('call-settles')
  })
})

it('asks nobody who is down or paused', () => {
  const stage = new Stage('a b')
  const { process } = stage
  Object.assign(process, { isPaused: true })
  stage.ask({ type: 'demote', node: 'b' })
  Object.assign(process, { isPaused: false, isUp: false })
  stage.ask({ type: 'demote', node: 'b' })
  expect([stage.asked.length, stage.changes.wereAsked]).toEqual([0, false])
})
