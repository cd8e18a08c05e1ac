// One node of a simulated cluster and its machine: the disk and the clock's rate survive, everything else belongs to an
// incarnation. A crash abandons the node at an event boundary; a restart is a new RaftNode on what was durable.
import type { MemberSpec, NodeId } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { ApplyContext, StateMachine } from '../interfaces/state-machine.js'
import { type CoreStart, INTERNALS, type Internals } from '../node/internals.js'
import { RaftNode } from '../node/raft-node.js'
import type { Check } from './checks.js'
import { StepCoverage } from './coverage.js'
import type { Incarnation } from './incarnation.js'
import { MachineHost } from './machine-host.js'
import { JudgedMachine } from './judged-machine.js'
import { ProcessGate } from './process-gate.js'
import type { ProcessOptions, ProcessWorld } from './process-options.js'
import type { SimulationRandom } from './prng.js'
import { timingsOf } from './mixed-timings.js'
import { snapshotWatch } from './snapshot-watch.js'
import { StallWatch } from './stall-watch.js'
import type { TraceFields } from './trace/trace.js'
import { VirtualClock } from './virtual-clock.js'
import { VirtualDisk } from './virtual-disk.js'
import { Witness } from './witness.js'

/** `failed`: the node itself stopped because its disk failed (F31). */
export type ProcessState = 'down' | 'starting' | 'up' | 'stopping' | 'failed'

/** Longest that `stop()` may take with a disk that works, ms of the simulation. */
export const STOP_BOUND_MS = 10_000

/** What watches one life of a node. */
interface Observed {
  readonly witness: Witness
  readonly gate: ProcessGate
  readonly electionTimeoutMs: number
}

export class SimulatedProcess<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly id: NodeId
  readonly disk: VirtualDisk
  /** Local ms in one ms of the simulation. */
  #clockRate: number
  readonly #world: ProcessWorld
  readonly #options: ProcessOptions<Command, Result, SM>
  readonly #random: SimulationRandom
  #state: ProcessState = 'down'
  #current: Incarnation<Command, Result, SM> | null = null
  #incarnationCount = 0
  #diskErrorExpected = false

  constructor(
    id: NodeId,
    world: ProcessWorld,
    options: ProcessOptions<Command, Result, SM>,
    random: SimulationRandom,
    maxClockDriftRatio: number,
  ) {
    this.id = id
    this.#world = world
    this.#options = options
    this.#random = random
    this.#clockRate = 1 + random.between(-maxClockDriftRatio / 2, maxClockDriftRatio / 2)
    this.disk = new VirtualDisk({
      timeline: world.timeline,
      random: random.fork('disk'),
      usesLevel: options.usesLevel,
      watch: {
        onDurable: ({ hardState, entries }) => {
          const [term, votedFor] = [hardState?.currentTerm ?? 0, hardState?.votedFor ?? null]
          this.#record('durable', { term, votedFor, lastIndex: this.disk.lastIndex, entryCount: entries?.length ?? 0 })
        },
        onFailed: () => this.#onDiskFailed(),
        ...snapshotWatch({ ...world, id, policy: options.snapshot, disk: () => this.disk }),
        onMisuse: (problem) => this.#fail('store-contract', `a store was misused: ${problem}`),
      },
    })
  }

  get state(): ProcessState {
    return this.#state
  }

  /** The life that goes on now, or the last one that failed; null when down. */
  get current(): Incarnation<Command, Result, SM> | null {
    return this.#current
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get isPaused(): boolean {
    return this.#current?.gate.isPaused ?? false
  }

  /** Within the drift that the nodes allow for. */
  setClockRate(rate: number): void {
    this.#clockRate = rate
    this.#record('clockRate', { rate })
    this.#current?.clock.setRate(rate)
  }

  /** Starts a new incarnation on what is durable. Only from `down`. */
  start(): void {
    if (this.#state !== 'down') return
    this.#incarnationCount += 1
    this.#diskErrorExpected = this.disk.isFull || this.disk.isRotten
    const incarnation = this.#createIncarnation(this.#incarnationCount)
    this.#current = incarnation
    this.#state = 'starting'
    this.#record('start', { incarnation: incarnation.number })
    incarnation.node.on('fatal', (error) => this.#onFatal(incarnation, error))
    incarnation.node.start().then(
      () => {
        if (this.#current !== incarnation || this.#state !== 'starting') return
        this.#state = 'up'
        this.#record('up')
      },
      (error: unknown) => this.#onFatal(incarnation, error as RaftError),
    )
  }

  /** The process is killed, or its machine loses power, between two events. */
  crash(): void {
    const incarnation = this.#current
    if (incarnation === null) return
    this.#record('crash')
    this.#checkFailedCalls(incarnation)
    this.#bury(incarnation)
    this.#world.network.crash(incarnation.transport)
    this.disk.crash()
    this.#world.history.abandon(this.id, incarnation.number, this.#world.timeline.nowMs)
  }

  /** The process dies in the middle of what it does: in place of the effect that follows the next `effectCount`. */
  crashAfter(effectCount: number): void {
    const incarnation = this.#current
    incarnation?.gate.stopAfter(effectCount, () => {
      if (this.#current !== incarnation) return
      this.#world.coverage.count('point.crashedAtEffect')
      this.crash()
    })
  }

  /** A graceful stop: every promise that the node gave out settles, and nothing of it is left. */
  stop(): void {
    const incarnation = this.#current
    if (incarnation === null || this.#state !== 'up' || incarnation.gate.isPaused) return
    this.#state = 'stopping'
    this.#record('stop')
    this.#expectStopped(incarnation, incarnation.pauseCount)
    incarnation.node.stop({ transferMs: 0 }).then(
      () => this.#onStopped(incarnation),
      (error: unknown) => this.#fail('stop', `stop() rejected: ${String(error)}`),
    )
  }

  /** A stop waits for the write under way, however slow the disk is. */
  #expectStopped(incarnation: Incarnation<Command, Result, SM>, pauses: number): void {
    this.#world.timeline.after(STOP_BOUND_MS, () => {
      if (this.#current !== incarnation || incarnation.pauseCount !== pauses || this.#diskErrorExpected) return
      if (this.disk.isWriting) return this.#expectStopped(incarnation, pauses)
      this.#fail('stop', `stop() did not resolve within ${STOP_BOUND_MS} ms`)
    })
  }

  /** Nothing reaches the process for a while; then everything at once. Its monotonic clock does not count a `suspend`. */
  pause(forMs: number, type: 'pause' | 'suspend' = 'pause'): void {
    const incarnation = this.#current
    if (incarnation === null || incarnation.gate.isPaused) return
    this.#record(type, { forMs })
    if (type === 'suspend') incarnation.suspendedSinceMs = this.#world.timeline.nowMs
    incarnation.pauseCount += 1
    incarnation.gate.pause()
    this.#world.timeline.after(forMs, () => this.#resume(incarnation))
  }

  /** Ends a pause early. */
  resume(): void {
    if (this.#current !== null) this.#resume(this.#current)
  }

  /** The write under way, or the next one, fails. */
  failWrite(): void {
    if (this.#current === null) return
    this.#diskErrorExpected = true
    this.#record('failWrite')
    this.disk.failNextWrite()
  }

  /** No write completes any more until the node is crashed. */
  hangDisk(): void {
    if (this.#current === null) return
    this.#diskErrorExpected = true
    this.#record('hangDisk')
    this.disk.hang()
  }

  /** Every write fails until there is space again, which a restart by hand or the end of the faults brings. */
  fillDisk(): void {
    this.#diskErrorExpected = true
    this.#record('fillDisk')
    this.disk.fill()
  }

  /** Something that was durable is damaged from now on. */
  rotDisk(): void {
    if (!this.disk.rot()) return
    this.#diskErrorExpected = true
    this.#record('rotDisk')
  }

  /** The process dies, and its disk is empty when it comes back: another store, which made none of its promises (H19). */
  wipeDisk(): void {
    this.disk.wipe()
    this.crash()
    this.#diskErrorExpected = false
    this.#record('wipeDisk')
    this.#world.coverage.count('hit.wipedDisk')
  }

  /** Whether its writes fail or hang, so that it can't even stop. */
  get isDiskBroken(): boolean {
    return this.#diskErrorExpected
  }

  /**
   * A node that was the whole list, and lost its disk, has nobody who could tell it that its cluster exists: it would found
   * another one. Whoever brings it back must leave the list out.
   */
  get #bootstrap(): readonly MemberSpec[] | undefined {
    const { bootstrap } = this.#options
    return this.disk.wasWiped && bootstrap?.length === 1 ? undefined : bootstrap
  }

  #createIncarnation(number: number): Incarnation<Command, Result, SM> {
    const { timeline, network, invariants } = this.#world
    const { invariant, internals, wrappers, codec, ...rest } = this.#options
    const random = this.#random.fork(`incarnation ${number}`)
    const gate = new ProcessGate(timeline, (kind) => this.#record(kind))
    const transport = network.transport(this.id, gate)
    const timings = timingsOf(rest, random.fork('timings'))
    const { electionTimeoutMs } = timings
    const witness = new Witness(this.id, invariants, this.disk, electionTimeoutMs)
    const stateMachine = rest.stateMachine(new MachineHost(timeline, gate, random.fork('machine')))
    const judged = new JudgedMachine<Command, Result>({
      id: this.id,
      inner: stateMachine,
      invariants,
      gate,
      onApplied: (context) => {
        this.#record('applied', { index: context.index, term: context.term })
        this.#checkInvariant(stateMachine, context)
      },
    })
    const clock = new VirtualClock({
      timeline,
      gate,
      startsAtMs: Math.floor(random.between(0, 1_000_000)),
      rate: this.#clockRate,
      skewMs: random.integer(-500, 500),
    })
    const store = this.disk.attach(gate)
    const snapshots = this.disk.attachSnapshots(gate)
    const { id, disk } = this
    const wrapped = { id, incarnation: number, timeline, disk, clock, random: random.fork('bug') }
    const machine = judged as StateMachine<unknown, unknown>
    const options = {
      id,
      stateMachine: (wrappers.stateMachine?.(machine, wrapped) ?? machine) as StateMachine<Command, Result>,
      logStore: wrappers.logStore?.(store, wrapped) ?? store,
      snapshotStore: wrappers.snapshotStore?.(snapshots, wrapped) ?? snapshots,
      transport: wrappers.transport?.(transport, wrapped) ?? transport,
      bootstrap: this.#bootstrap,
      codec,
      ...timings,
      maxClockDriftRatio: rest.maxClockDriftRatio,
      limits: rest.limits,
      snapshot: rest.snapshot,
      clock: wrappers.clock?.(clock, wrapped) ?? clock,
      seed: random.uint32(),
      [INTERNALS]: this.#observed(
        { makeId: () => String(random.uint32()), ...internals },
        { witness, gate, electionTimeoutMs },
      ),
    }
    const node = new RaftNode<Command, Result>(options)
    return { number, node, stateMachine, gate, transport, clock, witness, pauseCount: 0, suspendedSinceMs: null }
  }

  #observed(internals: Internals, { witness, gate, electionTimeoutMs }: Observed): Internals {
    const steps = new StepCoverage(this.#world.coverage, electionTimeoutMs)
    const { writer } = this.#world.trace
    let start: CoreStart | null = null
    const stalls = new StallWatch(electionTimeoutMs)
    return {
      ...internals,
      observeStart: (made) => {
        start = made
      },
      observeFailure: (event, output) => {
        if (!gate.isDead) writer?.failed(this.#world.timeline.nowMs, this.id, event, output)
      },
      observe: (state, event, output) => {
        if (gate.isDead) return
        const atMs = this.#world.timeline.nowMs
        if (event !== null && output !== null) writer?.step(atMs, this.id, event, output, state)
        else if (start !== null) writer?.init(atMs, this.id, start, state)
        const previous = witness.state?.role ?? 'follower'
        witness.observe(state, event, output)
        if (state.role !== previous) this.#world.onRole(this.id, state.role)
        steps.observe(state, event, output)
        const problem = stalls.observe(state, event)
        if (problem !== null) this.#fail('stood-still', problem)
        const { currentTerm: term, role, commitIndex, log } = state
        this.#record('step', { event: event?.type ?? 'restore', term, role, commitIndex, lastIndex: log.lastIndex })
      },
    }
  }

  #checkInvariant(stateMachine: SM, context: ApplyContext): void {
    try {
      this.#options.invariant?.(stateMachine, context)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#fail('user-invariant', `the invariant does not hold after entry ${context.index}: ${reason}`)
    }
  }

  #resume(incarnation: Incarnation<Command, Result, SM>): void {
    if (this.#current !== incarnation || !incarnation.gate.isPaused) return
    this.#record('resume')
    if (incarnation.suspendedSinceMs !== null) {
      incarnation.clock.wasSuspended(this.#world.timeline.nowMs - incarnation.suspendedSinceMs)
      incarnation.suspendedSinceMs = null
    }
    incarnation.gate.resume(this.#random.chance(0.5))
  }

  #onDiskFailed(): void {
    this.#record('diskFailed')
    this.#current?.witness.diskFailed(this.#world.invariants.eventNumber)
  }

  #onFatal(incarnation: Incarnation<Command, Result, SM>, error: RaftError): void {
    if (this.#current !== incarnation || this.#state === 'failed') return
    const wasStopping = this.#state === 'stopping'
    const isOfDisk = error.code === 'RAFT_STORAGE' || error.code === 'RAFT_CORRUPTION'
    const hasFailed = incarnation.witness.hasFailedDisk || this.disk.snapshots.isDamageFound
    if (!isOfDisk || !hasFailed) {
      const check = error.code === 'RAFT_INVARIANT' ? 'assertion' : 'unexpected-end'
      this.#fail(check, `it failed without a fault of its disk: ${error.code}: ${error.message}`)
    }
    if (!wasStopping) this.#state = 'failed'
    this.#record('fatal', { code: error.code })
  }

  #onStopped(incarnation: Incarnation<Command, Result, SM>): void {
    if (this.#current !== incarnation) return
    const { history, invariants, timeline, network } = this.#world
    this.#record('stopped')
    // The handlers of what it settled run in this very turn, but maybe behind this one.
    timeline.after(0, () => {
      const open = history.openOf(this.id, incarnation.number)
      if (open.length > 0)
        invariants.fail('call-settles', `${this.id}: ${open.length} calls had not settled when stop() resolved (F14)`)
      if (this.#current !== incarnation) return
      this.#bury(incarnation)
      network.crash(incarnation.transport)
      this.disk.crash()
    })
  }

  /** A node that failed settled every promise that it gave out (F31). */
  #checkFailedCalls(incarnation: Incarnation<Command, Result, SM>): void {
    if (this.#state !== 'failed' || incarnation.gate.isPaused) return
    const { history, invariants } = this.#world
    const open = history.openOf(this.id, incarnation.number)
    if (open.length > 0)
      invariants.fail('call-settles', `${this.id}: ${open.length} calls had not settled after the node failed (F31)`)
  }

  #bury(incarnation: Incarnation<Command, Result, SM>): void {
    incarnation.gate.kill()
    this.#current = null
    this.#state = 'down'
  }

  #fail(check: Check, problem: string): void {
    this.#world.invariants.fail(check, `${this.id}: ${problem}`)
  }

  #record(kind: string, fields?: TraceFields): void {
    this.#world.trace.record(this.#world.timeline.nowMs, this.id, kind, fields)
  }
}
