// A simulated cluster: the processes, the network between them, the judge over them, and the loop that runs events one
// at a time. It does what it is told to; who tells it is the workload, the nemesis or a fault plan.
import type { MemberSpec, NodeId, Role } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Codec } from '../interfaces/codec.js'
import type { ApplyContext, StateMachine } from '../interfaces/state-machine.js'
import type { Internals } from '../node/internals.js'
import { bootstrapOf, holdsAll } from './cluster-shape.js'
import { Coverage, messageBucket } from './coverage.js'
import type { ChangeFault, ClusterShape, FaultKind } from './fault-plan.js'
import { History } from './history.js'
import { Invariants } from './invariants.js'
import { DEFAULTS } from '../node/options.js'
import { MembershipChanges } from './membership-changes.js'
import type { SimulationRandom } from './prng.js'
import { canGoOn } from './quorum-view.js'
import { checkLeases } from './lease-judge.js'
import type { MachineHost } from './machine-host.js'
import type { ProcessWrappers } from './process-wrappers.js'
import type { ProcessWorld } from './process-options.js'
import { SimulatedProcess } from './simulated-process.js'
import { knock } from './stranger.js'
import { runTurns, Timeline } from './timeline.js'
import { messageFields, Trace } from './trace/trace.js'
import type { TraceWriter } from './trace/trace-writer.js'
import { CALM_DISK, type DiskSpeed, type VirtualDisk } from './virtual-disk.js'
import { hasLostStore, judgeHello } from './wiped-disk.js'
import { CALM_LINKS, type LinkFaults, VirtualNetwork, type VirtualNetworkOptions } from './virtual-network.js'

/** Election timeouts within which a cluster without faults is founded. */
const FOUNDING_TIMEOUTS = 10

/** A trap springs in a moment of its own, so that a plan which holds the same harm does it in the same order, ms. */
const TRAP_DELAY_MS = 0.001

export interface ClusterSettings<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly shape: ClusterShape
  readonly stateMachine: (host: MachineHost) => SM
  readonly invariant?: ((stateMachine: SM, context: ApplyContext) => void) | undefined
  readonly codec?: Codec<Command> | undefined
  readonly internals?: Internals | undefined
  readonly wrappers?: ProcessWrappers | undefined
  readonly random: SimulationRandom
  /** How much clocks of two nodes differ at most. @defaultValue 0.1 */
  readonly maxClockDriftRatio?: number | undefined
  readonly carry?: VirtualNetworkOptions['carry']
  /** Whether the disks hold the records of the shipped LevelLogStore. @defaultValue false */
  readonly usesLevel?: boolean | undefined
  /** Each life of a node draws an election timeout of its own. @defaultValue false */
  readonly mixesTimings?: boolean | undefined
  /** Gets the full trace. */
  readonly traceWriter?: TraceWriter | null | undefined
}

export class Cluster<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly timeline: Timeline = new Timeline()
  readonly trace: Trace
  readonly network: VirtualNetwork
  readonly invariants: Invariants
  readonly history: History
  /** Ms of a clock in one ms of the simulation. */
  readonly clockRates: { readonly slowest: number; readonly fastest: number }
  readonly #strangers: SimulationRandom
  readonly #traps = new Map<Role, (id: NodeId) => void>()
  readonly coverage: Coverage = new Coverage()
  /** Who asked for changes of the membership, and what became of it. */
  readonly changes: MembershipChanges
  #processes: readonly SimulatedProcess<Command, Result, SM>[]
  readonly #listed: readonly MemberSpec[]
  readonly #electionTimeoutMs: number
  /** Entries that a range holds at most. */
  readonly appendEntries: number
  readonly #createProcess: (id: NodeId, isListed: boolean) => SimulatedProcess<Command, Result, SM>
  #diskSpeed: DiskSpeed = CALM_DISK

  constructor(settings: ClusterSettings<Command, Result, SM>) {
    const { shape, random } = settings
    this.trace = new Trace(settings.traceWriter)
    const disks = new Map<NodeId, VirtualDisk>()
    this.invariants = new Invariants(this.timeline, disks)
    this.history = new History(this.invariants)
    this.network = this.#createNetwork(random.fork('network'), settings.carry)
    const { timeline, network, invariants, history, trace, coverage } = this
    const world: ProcessWorld = {
      timeline,
      network,
      invariants,
      history,
      trace,
      coverage,
      onRole: (id, role) => this.#onRole(id, role),
    }
    const bootstrap = bootstrapOf(shape)
    this.#listed = bootstrap
    const {
      stateMachine,
      invariant,
      codec,
      internals = {},
      wrappers = {},
      usesLevel = false,
      mixesTimings = false,
      maxClockDriftRatio = 0.1,
    } = settings
    this.clockRates = { slowest: 1 - maxClockDriftRatio / 2, fastest: 1 + maxClockDriftRatio / 2 }
    const ofTwoNodes = this.clockRates.fastest / this.clockRates.slowest - 1
    this.#strangers = random.fork('strangers')
    const { electionTimeoutMs, heartbeatIntervalMs, limits, snapshot } = shape.options
    const timings = { electionTimeoutMs, heartbeatIntervalMs, limits, snapshot }
    const machine = { stateMachine, invariant, codec, internals, wrappers, usesLevel }
    const options = { ...machine, ...timings, mixesTimings, maxClockDriftRatio: ofTwoNodes }
    this.#createProcess = (id, isListed) => {
      const own = { ...options, bootstrap: isListed ? bootstrap : undefined }
      const forked = random.fork(`process ${id}`)
      const process = new SimulatedProcess<Command, Result, SM>(id, world, own, forked, maxClockDriftRatio)
      disks.set(id, process.disk)
      return process
    }
    this.#processes = bootstrap.map(({ id }) => this.#createProcess(id, true))
    this.#electionTimeoutMs = electionTimeoutMs ?? DEFAULTS.electionTimeoutMs
    this.appendEntries = limits?.appendEntries ?? DEFAULTS.limits.appendEntries
    const judges = { timeline, invariants, coverage, slowestRate: this.clockRates.slowest }
    const wasWiped = (id: NodeId): boolean => disks.get(id)?.wasWiped ?? false
    this.changes = new MembershipChanges({ ...judges, electionTimeoutMs: this.#electionTimeoutMs, wasWiped })
  }

  /** Told of each fault. */
  onInject: ((fault: FaultKind) => void) | null = null

  get nowMs(): number {
    return this.timeline.nowMs
  }

  /** In the order of their ids. */
  get processes(): readonly SimulatedProcess<Command, Result, SM>[] {
    return this.#processes
  }

  get ids(): readonly NodeId[] {
    return this.processes.map(({ id }) => id)
  }

  isListed(node: NodeId): boolean {
    return this.#listed.some(({ id }) => id === node)
  }

  /** Whether the nodes are all that the cluster is to be founded with: until it is, it needs everybody (F25). */
  canFound(nodes: readonly NodeId[]): boolean {
    return this.#listed.every(({ id }) => nodes.includes(id))
  }

  /** The process that leads the latest term, if it still lives and believes so. */
  get leader(): SimulatedProcess<Command, Result, SM> | null {
    const process = this.processes.find(({ id }) => id === this.invariants.latestLeader)
    return process?.current?.witness.state?.role === 'leader' ? process : null
  }

  process(id: NodeId | 'leader'): SimulatedProcess<Command, Result, SM> | null {
    return id === 'leader' ? this.leader : (this.processes.find((process) => process.id === id) ?? null)
  }

  /** Events so far. */
  get eventCount(): number {
    return this.invariants.eventNumber
  }

  /** Faults so far, those of single messages too. */
  get faultCount(): number {
    return this.coverage.sumOf('fault.')
  }

  /** Runs events until `untilMs`, until `isDone` after an event, until a violation, or until none is left. */
  run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    return runTurns(() => {
      if (this.invariants.violation !== null || isDone()) return false
      this.invariants.eventNumber += 1
      return this.timeline.step(untilMs)
    })
  }

  startAll(): void {
    for (const process of this.processes) process.start()
  }

  /**
   * Runs until all that are listed are members, which must not take long where nothing goes wrong (F25).
   * @param staggerMs - within which all processes start
   */
  async untilFounded(staggerMs = 0): Promise<void> {
    const withinMs = staggerMs + FOUNDING_TIMEOUTS * this.#electionTimeoutMs
    const isFounded = (): boolean => {
      const all = [
        this.invariants.configurations.newest,
        ...this.processes.map(({ current }) => current?.witness.configuration),
      ]
      return all.every((held) => holdsAll(held, this.#listed))
    }
    await this.run(this.nowMs + withinMs, isFounded)
    if (!isFounded())
      this.invariants.fail('liveness', `no liveness: the cluster is not founded within ${withinMs} ms (F25)`)
  }

  /** Carries out a fault now. One that has nobody to hit, a leader or a living process, does nothing. */
  inject(fault: FaultKind): void {
    const fields = { fault: JSON.stringify(fault) }
    this.trace.record(this.nowMs, 'world', 'fault', fields)
    this.coverage.count(`fault.${fault.type}`)
    this.onInject?.(fault)
    switch (fault.type) {
      case 'partition':
        return this.network.partition(fault.groups)
      case 'cut':
        return this.network.cut(fault.from, fault.to)
      case 'heal':
        return this.network.heal()
      case 'reset':
        return this.network.reset(...fault.nodes)
      case 'clog':
        return this.network.clog(fault.from, fault.to, fault.forMs)
      case 'link':
        return this.setLinks({ ...CALM_LINKS, ...fault, keepsOrder: false })
      case 'add':
      case 'promote':
      case 'demote':
      case 'remove':
      case 'members':
        return this.#change(fault)
      default:
        return this.#injectInto(fault)
    }
  }

  /** Of all disks there are, and of those that come. */
  setDisks(speed: DiskSpeed): void {
    this.#diskSpeed = speed
    for (const { disk } of this.processes) disk.speed = speed
  }

  setLinks(links: LinkFaults): void {
    this.network.setLinks(links)
  }

  #injectInto(fault: Exclude<Extract<FaultKind, { node: NodeId }>, ChangeFault>): void {
    const process = this.process(fault.node)
    if (process === null) return
    switch (fault.type) {
      case 'crash':
        return fault.afterEffects === undefined ? process.crash() : process.crashAfter(fault.afterEffects)
      case 'restart':
        // A node that failed by itself is still there, as a process: the restart ends it first.
        if (process.state === 'failed') process.crash()
        process.disk.free()
        return process.start()
      case 'stop':
        return process.stop()
      case 'transfer':
        return this.#askToHandOver(process, fault.to)
      case 'snapshot':
        return this.#takeSnapshot(process)
      case 'resume':
        return process.resume()
      case 'pause':
      case 'suspend':
        return process.pause(fault.forMs, fault.type)
      case 'failWrite':
        return process.failWrite()
      case 'hangDisk':
        return process.hangDisk()
      case 'clockRate':
        return this.#setClockRate(process, fault.ratio)
      case 'fullDisk':
        return process.fillDisk()
      case 'rotDisk':
        return this.#harmDisk(process, () => process.rotDisk())
      case 'wipeDisk':
        return this.#harmDisk(process, () => this.#wipe(process))
      case 'stranger':
        return this.#knockAt(process.id)
      case 'slowDisk':
        process.disk.speed = { ...process.disk.speed, writeMs: fault.writeMs }
    }
  }

  /** Nodes whose disks hold what their members promised: without a majority of them nobody can promise anything. */
  get soundIds(): readonly NodeId[] {
    const newest = this.invariants.configurations.newest?.configuration
    return this.processes
      .filter(({ id, disk }) => !disk.isRotten && !hasLostStore(newest, id, disk))
      .map(({ id }) => id)
  }

  /** Calls `act` once, right after some node has next taken that role. */
  onNext(role: Role, act: (id: NodeId) => void): void {
    this.#traps.set(role, act)
  }

  #onRole(id: NodeId, role: Role): void {
    if (role === 'leader') checkLeases(id, this.processes, this.invariants)
    const act = this.#traps.get(role)
    if (act === undefined) return
    this.#traps.delete(role)
    this.timeline.after(TRAP_DELAY_MS, () => act(id))
  }

  /** Never the last one that was listed: with empty stores alone they would be a cluster that is to be founded (F25). */
  #wipe(process: SimulatedProcess<Command, Result, SM>): void {
    const isLeft = this.processes.some(({ id, disk }) => id !== process.id && this.isListed(id) && !disk.wasWiped)
    if (isLeft || !this.isListed(process.id)) process.wipeDisk()
  }

  /** Only where the others are enough. */
  #harmDisk({ id }: SimulatedProcess<Command, Result, SM>, harm: () => void): void {
    const soundAfter = this.soundIds.filter((other) => other !== id)
    if (canGoOn(this, soundAfter)) harm()
  }

  #change(fault: ChangeFault): void {
    const asked = fault.via === undefined ? this.leader : this.process(fault.via)
    const process = asked ?? this.processes.find(({ isUp, isPaused }) => isUp && !isPaused)
    if (process === undefined) return
    if (fault.type === 'members') for (const id of [...fault.voters, ...(fault.learners ?? [])]) this.#join(id)
    if (fault.type === 'add') this.#join(fault.node)
    if (fault.type === 'members' || fault.node !== 'leader') return this.changes.ask(process, fault)
    const { leader } = this
    if (leader !== null) this.changes.ask(process, { ...fault, node: leader.id })
  }

  /** A node that nobody listed starts, and waits to be added. */
  #join(id: NodeId): void {
    if (this.process(id) !== null) return
    const process = this.#createProcess(id, false)
    process.disk.speed = this.#diskSpeed
    this.#processes = [...this.#processes, process].sort((one, other) => (one.id < other.id ? -1 : 1))
    process.start()
  }

  #setClockRate(process: SimulatedProcess<Command, Result, SM>, ratio: number): void {
    const { slowest, fastest } = this.clockRates
    if (!(ratio >= slowest && ratio <= fastest)) {
      const range = `from ${slowest} to ${fastest}: beyond it nothing is promised (maxClockDriftRatio)`
      throw new RaftError('RAFT_INVALID_OPTION', `the clockRate of ${process.id} is ${ratio}: use a ratio ${range}`)
    }
    process.setClockRate(ratio)
  }

  #askToHandOver(process: SimulatedProcess<Command, Result, SM>, to: NodeId | undefined): void {
    if (process.current === null || !process.isUp || process.isPaused) return
    const count = (end: string): void => this.coverage.count(`transfer.${end}`)
    process.current.node.transferLeadership(to).then(
      () => count('resolved'),
      (error: RaftError) => count(error.code),
    )
  }

  #takeSnapshot(process: SimulatedProcess<Command, Result, SM>): void {
    if (process.current === null || !process.isUp || process.isPaused) return
    const count = (end: string): void => this.coverage.count(`snapshot.${end}`)
    process.current.node.takeSnapshot().then(
      () => count('taken'),
      (error: RaftError) => count(error.code),
    )
  }

  #knockAt(node: NodeId): void {
    const others = this.ids.filter((id) => id !== node)
    const target = this.network.listenerAt(node)
    const peer = this.network.listenerAt(others.length === 0 ? node : this.#strangers.pick(others))
    if (target === null || peer === null) return
    knock({ target, peer }, { coverage: this.coverage, invariants: this.invariants, random: this.#strangers })
  }

  #createNetwork(random: SimulationRandom, carry: VirtualNetworkOptions['carry']): VirtualNetwork {
    return new VirtualNetwork({
      timeline: this.timeline,
      random,
      carry,
      watch: {
        onSend: (from, to, message) => {
          this.coverage.count(`message.${messageBucket(message)}`)
          const process = this.process(from.id)
          if (process?.current?.transport === from) process.current.witness.onSend(to, message)
          this.trace.record(this.nowMs, from.id, 'send', { to, ...messageFields(message) })
          this.trace.writer?.send(this.nowMs, from.id, to, message)
        },
        onReceive: (from, to, message) => {
          this.trace.record(this.nowMs, to.id, 'receive', { from: from.id, type: message.type, term: message.term })
        },
        onPeerStatus: (at, peer, status) => {
          this.trace.record(this.nowMs, at.id, 'peerStatus', { peer, status })
        },
        onHello: (by, other, error) => {
          const problem = judgeHello(this, { by, other, error })
          if (problem !== null) this.invariants.fail('hello', problem)
        },
        onFault: (name) => this.coverage.count(`fault.message.${name}`),
      },
    })
  }
}
