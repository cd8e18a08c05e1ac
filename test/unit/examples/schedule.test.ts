// The state machine of the example that elects a scheduler.
import fc from 'fast-check'
import { testStateMachine } from 'helios-raft/testing'
import { describe, expect, it, test } from 'vitest'
import { type Answer, type Command, MAX_JOBS, Schedule } from '../../../examples/leader-election/src/schedule.js'

const START = 1_000

/** Applies at a log time. */
function at(schedule: Schedule, timestamp: number, command: Command): Answer {
  return schedule.apply(command, { index: 1, term: 1, timestamp })
}

function withJob(): Schedule {
  const schedule = new Schedule()
  expect(at(schedule, START, { type: 'add', job: 'mail', everyMs: 100 })).toBe('done')
  return schedule
}

const begin = (run: number): Command => ({ type: 'begin', job: 'mail', run })
const end = (run: number): Command => ({ type: 'end', job: 'mail', run })

describe('Schedule', () => {
  const job = fc.constantFrom('mail', 'bill')
  const run = fc.integer({ min: 1, max: 3 })
  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.record(
      { type: fc.constant('add' as const), job, everyMs: fc.integer({ min: 0, max: 500 }) },
      { noNullPrototype: true },
    ),
    fc.record({ type: fc.constantFrom('begin' as const, 'end' as const), job, run }, { noNullPrototype: true }),
  )
  void testStateMachine(() => new Schedule(), { command, numRuns: 50 }, test)

  it('begins a run once, whoever asks again', () => {
    const schedule = withJob()
    expect(at(schedule, START + 100, begin(1))).toBe('done')
    expect(at(schedule, START + 100, begin(1))).toBe('refused')
    expect(at(schedule, START + 900, begin(1))).toBe('refused')
    expect(schedule.jobs.get('mail')).toMatchObject({ begun: 1 })
  })

  it('begins a run when it is due by log time, and no other number than the next', () => {
    const schedule = withJob()
    expect(at(schedule, START + 99, begin(1))).toBe('refused')
    expect(at(schedule, START + 100, begin(2))).toBe('refused')
    expect(at(schedule, START + 100, begin(1))).toBe('done')
    expect(at(schedule, START + 199, begin(2))).toBe('refused')
    expect(at(schedule, START + 200, begin(2))).toBe('done')
  })

  it('leaves out the times that passed while nobody led', () => {
    const schedule = withJob()
    expect(at(schedule, START + 350, begin(1))).toBe('done')
    expect(schedule.jobs.get('mail')).toMatchObject({ dueAt: START + 400 })
    expect(at(schedule, START + 500, begin(2))).toBe('done')
    expect(schedule.jobs.get('mail')).toMatchObject({ dueAt: START + 600 })
  })

  it('goes on behind a run that never ended, which ends no more', () => {
    const schedule = withJob()
    at(schedule, START + 100, begin(1))
    at(schedule, START + 200, begin(2))
    expect(at(schedule, START + 201, end(1))).toBe('refused')
    expect(at(schedule, START + 201, end(2))).toBe('done')
    expect(at(schedule, START + 201, end(2))).toBe('refused')
    expect(schedule.jobs.get('mail')).toMatchObject({ begun: 2, ended: 1, isOpen: false })
  })

  it('adds a job once, with a period, up to the bound', () => {
    const schedule = withJob()
    expect(at(schedule, START, { type: 'add', job: 'mail', everyMs: 5 })).toBe('refused')
    expect(at(schedule, START, { type: 'add', job: 'never', everyMs: 0 })).toBe('refused')
    const answers = Array.from({ length: MAX_JOBS }, (_, n) =>
      at(schedule, START, { type: 'add', job: String(n), everyMs: 1 }),
    )
    expect(answers.lastIndexOf('done')).toBe(MAX_JOBS - 2)
    expect(answers.at(-1)).toBe('refused')
    expect(schedule.jobs.size).toBe(MAX_JOBS)
  })
})
