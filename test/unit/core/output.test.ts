// The merge rules of Output: a batch of events stepped into one Output and carried out at once does what the events do
// one by one, and whatever may end a batch gets an Output of its own (design: one event in, one Output out).
import fc from 'fast-check'
import { type CoreEvent, type Envelope, InvariantViolation, Output, RaftCore } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { configurationOf, CoreCluster } from '../../support/core-cluster.js'
import { DEFAULT_NODE } from '../../support/core-node.js'
import { arbSchedule, play } from '../../support/schedule.js'
import { append, entriesOf, heartbeat, SoloCore } from '../../support/solo-core.js'

const VOTERS = ['a', 'b', 'c']

/** Everything that happened to node `a` of a cluster from its first boot to its first crash. */
function lifeOf(schedule: Parameters<typeof play>[1][], seed: number): CoreEvent[] {
  const events: CoreEvent[] = []
  const cluster = new CoreCluster({ voters: VOTERS, seed })
  cluster.onStep = (node, event) => {
    if (node.id === 'a' && node.boot === 1) events.push(event)
  }
  for (const step of schedule) play(cluster, step)
  return events
}

/** What a driver would have done, as far as its order matters. */
class Effects {
  readonly log: string[] = []
  readonly lists: Record<string, unknown[]> = { messages: [], afterPersist: [], reads: [], results: [], roles: [] }
  hardState: unknown = null
  commitIndex = 0
  leader: unknown = null

  carryOut(output: Output): void {
    for (const { index, term } of output.append?.entries ?? []) {
      this.log.length = index - 1
      this.log.push(`${index}:${term}:${output.append?.epoch}`)
    }
    this.hardState = output.hardState ?? this.hardState
    this.commitIndex = output.commitIndex ?? this.commitIndex
    this.leader = output.leader ?? this.leader
    // A range that joins an earlier one overtakes what lies between, as a network might: each peer's ranges keep their order.
    const isRange = ({ message }: Envelope) => message.type === 'appendRange'
    this.lists.messages?.push(...output.messages.filter((envelope) => !isRange(envelope)).flatMap(expand))
    for (const envelope of output.messages.filter(isRange)) {
      this.lists[envelope.to] = [...(this.lists[envelope.to] ?? []), ...expand(envelope)]
    }
    this.lists.afterPersist?.push(...output.messagesAfterPersist.flatMap(expand))
    for (const name of ['reads', 'results', 'roles'] as const) this.lists[name]?.push(...output[name])
  }
}

/** A range says what it says of each entry: two that follow each other are the same as one. Heartbeats are compared apart. */
function expand({ to, message }: Envelope): string[] {
  if (message.type === 'heartbeat') return []
  if (message.type !== 'appendRange') return [`${to} ${JSON.stringify(message)}`]
  const { term, addedAt, prevLogIndex, first, last } = message
  if (last < first) return [`${to} asks ${term} ${addedAt} ${prevLogIndex}`]
  return Array.from({ length: last - first + 1 }, (_, at) => `${to} entry ${term} ${addedAt} ${first + at}`)
}

function newCore(seed: number): RaftCore {
  const options = { ...DEFAULT_NODE, id: 'a', seed: seed * 1_000, boot: 1 }
  const hardState = { currentTerm: 0, votedFor: null }
  const configuration = { index: 0, configuration: configurationOf(VOTERS) }
  const log = { firstIndex: 1, lastIndex: 0, previousTerm: 0, termRuns: [], logTime: 0 }
  return new RaftCore(options, { hardState, configuration, ...log }, 0)
}

function stepAlone(events: readonly CoreEvent[], seed: number): { core: RaftCore; effects: Effects } {
  const [core, effects] = [newCore(seed), new Effects()]
  for (const event of events) effects.carryOut(core.step(event))
  return { core, effects }
}

/** As the driver does it: one Output through the batch, handed out when `step` gives another one or a batch ends. */
function stepInBatches(events: readonly CoreEvent[], sizes: readonly number[], seed: number) {
  const [core, effects] = [newCore(seed), new Effects()]
  let [output, room, batch] = [new Output(), sizes[0] ?? 1, 0]
  const handOut = () => {
    effects.carryOut(output)
    output = new Output()
    batch += 1
    room = sizes[batch % sizes.length] ?? 1
  }
  for (const event of events) {
    // A completion belongs to a write that was handed out.
    if (event.type === 'persisted') handOut()
    const returned = core.step(event, output)
    if (returned !== output) {
      handOut()
      output = returned
    }
    room -= 1
    if (output.endsBatch || room <= 0) handOut()
  }
  handOut()
  return { core, effects }
}

describe('Output', () => {
  it('a batch of events in one Output does what the events do one by one', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
    let merged = 0
    const property = fc.property(arbSchedule(300), sizes, fc.nat(50), (schedule, batches, seed) => {
      const events = lifeOf(schedule, seed)
      const alone = stepAlone(events, seed)
      const together = stepInBatches(events, batches, seed)
      expect(together.effects).toEqual(alone.effects)
      // The window counts messages, of which a batch needs fewer; all else of the state is the same.
      const comparable = ({ state }: RaftCore) => {
        const progress = [...state.progress].map(([id, one]) => [id, { ...one, inflight: one.inflight.at(-1) }])
        return { ...state, progress }
      }
      expect(comparable(together.core)).toEqual(comparable(alone.core))
      merged += events.length
    })
    fc.assert(property, { numRuns: 60 })
    expect(merged).toBeGreaterThan(1_000)
  })

  it('an event that changes term or role or truncates never lands in an Output that holds something', () => {
    // `step` itself asserts it; here every event of random lives goes into one Output that is never handed out before.
    const property = fc.property(arbSchedule(300), fc.nat(50), (schedule, seed) => {
      const core = newCore(seed)
      let output = new Output()
      for (const event of lifeOf(schedule, seed)) {
        const { currentTerm, role, epoch } = core.state
        const wasEmpty = output.isEmpty
        const returned = core.step(event, output)
        const { state } = core
        const changed = state.currentTerm !== currentTerm || state.role !== role || state.epoch !== epoch
        if (changed) {
          expect(returned.endsBatch).toBe(true)
          expect(wasEmpty || returned !== output).toBe(true)
        }
        output = returned.endsBatch ? new Output() : returned
      }
    })
    fc.assert(property, { numRuns: 60 })
  })

  it('an own vote that becomes durable and elects, and an append that truncates, stand alone behind what is held', () => {
    const alone = new SoloCore({ voters: ['a'] })
    alone.persistence = 'later'
    alone.tick()
    const [vote] = alone.writes
    const held = new Output()
    alone.core?.step({ type: 'read', now: alone.clock, wallTime: 0, id: 901, byLease: false }, held)
    const hardState = vote?.hardState ?? null
    const elected = alone.core?.step({ type: 'persisted', now: alone.clock, hardState, index: 0, epoch: 0 }, held)
    expect(alone.state.role).toBe('leader')
    expect(elected).not.toBe(held)
    expect(held).toMatchObject({ endsBatch: false, roles: [], append: undefined })

    const follower = new SoloCore({ terms: [1, 1], currentTerm: 2 })
    const receive = { type: 'receive', now: 0, wallTime: 0, from: 'b', budgetBytes: 1_000 } as const
    const answered = new Output()
    follower.core?.step({ ...receive, message: heartbeat({ term: 2 }) }, answered)
    const message = append({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 2) })
    const truncated = follower.core?.step({ ...receive, message }, answered)
    expect(truncated).not.toBe(answered)
    expect(truncated).toMatchObject({ endsBatch: true, append: { epoch: 1 } })
    expect(answered.append).toBeUndefined()
  })

  it('appends merge when contiguous and of one epoch, and never otherwise', () => {
    const output = new Output()
    output.addEntries(entriesOf(1, 1, 1), 0)
    output.addEntries(entriesOf(3, 1), 0)
    expect(output.append?.entries.map(({ index }) => index)).toEqual([1, 2, 3])
    expect(() => output.addEntries(entriesOf(5, 1), 0)).toThrow(InvariantViolation)
    expect(() => output.addEntries(entriesOf(3, 2), 0)).toThrow(InvariantViolation)
    expect(() => output.addEntries(entriesOf(4, 1), 1)).toThrow(InvariantViolation)
    expect(() => new Output().addEntries([], 0)).toThrow(InvariantViolation)
  })

  it('does not keep the array that it was given', () => {
    const [output, entries] = [new Output(), entriesOf(1, 1)]
    output.addEntries(entries, 0)
    output.addEntries(entriesOf(2, 1), 0)
    expect(entries).toHaveLength(1)
  })

  it('a later hard state replaces an earlier one, a term never falls', () => {
    const output = new Output()
    output.setHardState({ currentTerm: 3, votedFor: null })
    output.setHardState({ currentTerm: 3, votedFor: 'b' })
    expect(output.hardState).toEqual({ currentTerm: 3, votedFor: 'b' })
    expect(() => output.setHardState({ currentTerm: 2, votedFor: null })).toThrow(InvariantViolation)
  })

  it('commitIndex only rises', () => {
    const output = new Output()
    output.setCommitIndex(4)
    output.setCommitIndex(6)
    expect(output.commitIndex).toBe(6)
    expect(() => output.setCommitIndex(5)).toThrow(InvariantViolation)
  })

  it('ranges of one peer join up to the limit; another peer, session, term or a question stands between', () => {
    const range = (first: number, last: number, extra = {}) => {
      const place = { prevLogIndex: first - 1, prevLogTerm: 1, first, last, leaderCommit: first }
      return { type: 'appendRange' as const, term: 1, addedAt: 0, ...place, ...extra }
    }
    const output = new Output()
    expect(output.pushRange('b', range(1, 2), 4)).toBe(false)
    expect(output.pushRange('c', range(1, 2), 4)).toBe(false)
    expect(output.pushRange('b', range(3, 4), 4)).toBe(true)
    expect(output.messages[0]).toMatchObject({
      to: 'b',
      message: { prevLogIndex: 0, first: 1, last: 4, leaderCommit: 3 },
    })
    expect(output.pushRange('b', range(5, 5), 4)).toBe(false)
    expect(output.pushRange('b', range(6, 6, { addedAt: 9 }), 4)).toBe(false)
    expect(output.pushRange('c', range(3, 2), 4)).toBe(false)
    expect(output.pushRange('c', range(3, 3), 4)).toBe(false)
    expect(output.pushRange('c', range(5, 5), 4)).toBe(false)
  })

  it('of the heartbeats to one peer the last one leaves', () => {
    const cluster = new CoreCluster()
    const { core, clock: now } = cluster.elect('a')
    const output = new Output()
    for (const id of [901, 902]) core?.step({ type: 'read', now, wallTime: 0, id, byLease: false }, output)
    core?.step({ type: 'peerStatus', now, peer: 'b', status: 'up' }, output)
    const beats = output.messages.filter(({ message }) => message.type === 'heartbeat')
    expect(beats.map(({ to }) => to).sort()).toEqual(['b', 'c'])
  })

  it('is empty until it asks for something', () => {
    expect(new Output().isEmpty).toBe(true)
    const cluster = new CoreCluster()
    const { core } = cluster.node('a')
    expect(core?.step({ type: 'tick', now: 1 }).isEmpty).toBe(true)
  })
})
