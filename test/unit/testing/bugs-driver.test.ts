import { describe, expect, it } from 'vitest'
import type { CoreEvent } from '../../../src/core/event.js'
import { initialState } from '../../../src/core/state.js'
import { NODE_RULES, type NodeRules } from '../../../src/node/node-rules.js'
import type { ApplyContext, StateMachine } from '../../../src/interfaces/state-machine.js'
import { DRIVER_BUGS } from '../../../src/testing/bugs/driver.js'
import { FORWARD_BUGS } from '../../../src/testing/bugs/forwards.js'
import { SESSION_BUGS } from '../../../src/testing/bugs/sessions.js'
import { READ_BUGS } from '../../../src/testing/bugs/reads.js'
import { ChainMachine } from '../../../src/testing/chain-machine.js'
import { MachineHost } from '../../../src/testing/machine-host.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { StallWatch } from '../../../src/testing/stall-watch.js'
import { runTurns, Timeline } from '../../../src/testing/timeline.js'
import { VirtualClock } from '../../../src/testing/virtual-clock.js'
import { VirtualDisk } from '../../../src/testing/virtual-disk.js'
import { CORE_OPTIONS } from '../node/harness.js'

type Machine = StateMachine<unknown, unknown>

const at = (index: number, term = 1): ApplyContext => ({ index, term, timestamp: 5 })

function wrongMachine(bug: string, incarnation: number): { machine: Machine; seen: ApplyContext[] } {
  const seen: ApplyContext[] = []
  const timeline = new Timeline()
  const gate = new ProcessGate(timeline)
  const random = new SimulationRandom(1n)
  const clock = new VirtualClock({ timeline, gate, startsAtMs: 0, rate: 1, skewMs: 0 })
  const disk = new VirtualDisk({ timeline, random })
  const right: Machine = {
    apply: (_command, context) => void seen.push(context),
    async *snapshot() {},
    async restore() {},
  }
  const wrong = DRIVER_BUGS[bug]?.wrappers?.stateMachine
  expect(wrong, bug).toBeDefined()
  return {
    machine: (wrong as NonNullable<typeof wrong>)(right, { id: 'n1', incarnation, timeline, disk, clock, random }),
    seen,
  }
}

describe('a seeded bug of the driver', () => {
  it('decides one thing otherwise than the table of rules', () => {
    const work = { isApplying: false, isFetching: false, isHeld: false, queryCount: 1 }
    const bytes = Uint8Array.of(1)
    /** A question to which each wrong rule has another answer than the right one. */
    const questions: { readonly [Name in keyof NodeRules]: (rules: NodeRules) => unknown } = {
      keepEncoded: (rules) => rules.keepEncoded(bytes) === bytes,
      isOwnEntry: (rules) => rules.isOwnEntry(1, 2),
      outcomeOfEnded: (rules) =>
        (['waiting', 'forwarded', 'appended'] as const).map((stage) => rules.outcomeOfEnded(stage)),
      ends: (rules) => (['timeout', 'stopped', 'aborted'] as const).map((reason) => rules.ends(reason)),
      keepsResults: (rules) => rules.keepsResults(1),
      readIndexOf: (rules) => rules.readIndexOf(7, 3),
      applicable: (rules) => rules.applicable(3, 7),
      mayApply: (rules) => rules.mayApply(work),
      mayQuery: (rules) => rules.mayQuery({ ...work, isApplying: true }, true),
      isSessionExpired: (rules) => [rules.isSessionExpired(5, 5), rules.isSessionExpired(6, 5)],
      isSessionAnswerKept: (rules) => rules.isSessionAnswerKept(),
      keepsSessionsInSnapshots: (rules) => rules.keepsSessionsInSnapshots(),
      sequenceOfAttempt: (rules) => rules.sequenceOfAttempt(3, 2),
      maySendRange: (rules) => rules.maySendRange(false),
      endsMessage: (rules) => rules.endsMessage(0, true),
      isMembersStore: (rules) => rules.isMembersStore('one', 'other'),
      isEmptyStore: (rules) => rules.isEmptyStore('of a founding'),
      awaitsWrites: (rules) => rules.awaitsWrites(),
    }
    let count = 0
    for (const [name, { internals }] of Object.entries({
      ...DRIVER_BUGS,
      ...READ_BUGS,
      ...FORWARD_BUGS,
      ...SESSION_BUGS,
    })) {
      const replaced = Object.keys(internals.nodeRules ?? {}) as (keyof NodeRules)[]
      for (const rule of replaced) {
        count += 1
        const wrong = { ...NODE_RULES, ...internals.nodeRules }
        expect(questions[rule](wrong), name).not.toEqual(questions[rule](NODE_RULES))
      }
    }
    expect(count).toBeGreaterThan(10)
  })

  it('entry-skipped leaves the first command out, but not in the first life', async () => {
    const first = wrongMachine('entry-skipped', 1)
    const second = wrongMachine('entry-skipped', 2)
    for (const { machine } of [first, second]) for (const index of [2, 3]) await machine.apply(null, at(index))
    expect(first.seen.map(({ index }) => index)).toEqual([2, 3])
    expect(second.seen.map(({ index }) => index)).toEqual([3])
  })

  it('entry-applied-twice repeats the last command when a new term begins', async () => {
    const { machine, seen } = wrongMachine('entry-applied-twice', 1)
    await machine.apply(null, at(2))
    await machine.apply(null, at(3))
    await machine.apply(null, at(5, 2))
    expect(seen.map(({ index }) => index)).toEqual([2, 3, 3, 5])
  })

  it('apply-reads-own-clock gives the time of the node', async () => {
    const { machine, seen } = wrongMachine('apply-reads-own-clock', 1)
    await machine.apply(null, at(2))
    expect(seen[0]?.timestamp).toBeGreaterThan(1_000_000)
  })

  it("buffer-of-log-given decodes to the log's own bytes", () => {
    const data = Uint8Array.of(1, 2)
    expect(DRIVER_BUGS['buffer-of-log-given']?.codec?.decode(data)).toBe(data)
  })
})

describe('StallWatch', () => {
  const tick = (now: number): CoreEvent => ({ type: 'tick', now })
  const reset = (now: number): CoreEvent => ({ type: 'peerStatus', now, peer: 'b', status: 'reset' })

  function lab() {
    const restored = { hardState: { currentTerm: 1, votedFor: null }, firstIndex: 1, lastIndex: 0, previousTerm: 0 }
    const state = initialState(
      { ...CORE_OPTIONS, id: 'a' },
      { ...restored, termRuns: [], logTime: 0, configuration: null },
      0,
    )
    state.quorum = { incoming: ['a', 'b', 'c'], outgoing: [] }
    const watch = new StallWatch(100)
    expect(watch.observe(state, null)).toBeNull()
    return { state, watch }
  }

  it('refuses a campaign right behind a stall, and allows it one timeout later', () => {
    const { state, watch } = lab()
    expect(watch.observe(state, tick(50))).toBeNull()
    state.preVoteRound = 1
    expect(watch.observe(state, tick(500))).toMatch(/campaigned 0 ms after/)
    expect(watch.observe(state, tick(550))).toBeNull()
    expect(watch.observe(state, tick(600))).toBeNull()
    state.preVoteRound = 2
    expect(watch.observe(state, tick(600))).toBeNull()
  })

  it('refuses that a leader gives up on late timers, not that it hears of a later term', () => {
    for (const [event, problem] of [
      [tick(550), /gave its leadership up 50 ms after/],
      [{ type: 'applied', now: 550, index: 0 }, null],
    ] as const) {
      const { state, watch } = lab()
      state.role = 'leader'
      expect(watch.observe(state, tick(50))).toBeNull()
      expect(watch.observe(state, tick(500))).toBeNull()
      state.role = 'follower'
      const said = watch.observe(state, event)
      if (problem === null) expect(said).toBeNull()
      else expect(said).toMatch(problem)
    }
  })

  it('allows a campaign at once when the leader ended the connection, and to who is alone', () => {
    const one = lab()
    expect(one.watch.observe(one.state, reset(500))).toBeNull()
    one.state.preVoteRound = 1
    expect(one.watch.observe(one.state, tick(510))).toBeNull()
    const other = lab()
    other.state.quorum = { incoming: ['a'], outgoing: [] }
    other.state.preVoteRound = 1
    expect(other.watch.observe(other.state, tick(500))).toBeNull()
  })
})

describe('ChainMachine', () => {
  it('shows a state of no index while it takes its time, and the same one afterwards as without', async () => {
    const timeline = new Timeline()
    const host = new MachineHost(timeline, new ProcessGate(timeline), new SimulationRandom(1n))
    const slow = new ChainMachine({ host, slowRatio: 1, slowMs: [1, 2] })
    const quick = new ChainMachine()
    const due = quick.apply(Uint8Array.of(9), at(1))
    const before = slow.state
    const result = slow.apply(Uint8Array.of(9), at(1))
    expect(slow.state).not.toEqual(before)
    expect(slow.state).not.toEqual(due)
    const torn = slow.stateForAWhile()
    await runTurns(() => timeline.step(Number.POSITIVE_INFINITY))
    expect(await result).toEqual(due)
    expect(await torn).toMatchObject({ count: -1 })
  })

  it('writes over the command that it was given', () => {
    const command = Uint8Array.of(1, 2)
    new ChainMachine().apply(command, at(1)) as unknown
    expect([...command]).toEqual([0xa5, 0xa5])
  })
})
