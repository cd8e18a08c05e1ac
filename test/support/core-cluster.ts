// Several cores, a network of queued messages and a clock, all under the hand of a test: nothing is delivered, dropped,
// duplicated, persisted or lost unless the test says so. The rules of cluster-checks hold after each step.
import {
  bootstrapConfiguration,
  type Configuration,
  type CoreEvent,
  type Message,
  type NodeId,
  type Output,
  type Term,
} from 'helios-raft/core'
import { ClusterChecks } from './cluster-checks.js'
import { DEFAULT_NODE, type Durable, EMPTY_DISK, type NodeOptions, SimulatedNode } from './core-node.js'

export interface Packet {
  readonly from: NodeId
  readonly to: NodeId
  readonly message: Message
}

export interface ClusterOptions extends Partial<Omit<NodeOptions, 'id' | 'configuration'>> {
  readonly voters?: readonly NodeId[]
  readonly learners?: readonly NodeId[]
  /** Without a configuration: they wait to be added. */
  readonly joiners?: readonly NodeId[]
  readonly disks?: Readonly<Record<NodeId, Durable>>
  /** Clock of each node at its first start, for tests that clocks are not compared across nodes. */
  readonly clocks?: Readonly<Record<NodeId, number>>
  /** Off for tests that move the clocks of nodes apart. */
  readonly checkFreshness?: boolean
}

export type Match = (packet: Packet) => boolean

export class CoreCluster {
  readonly nodes: ReadonlyMap<NodeId, SimulatedNode>
  readonly checks: ClusterChecks
  /** Messages on their way, oldest first. */
  network: Packet[] = []
  /** Time since the beginning; the clocks of the nodes run at its rate unless a test ticks one alone. */
  now = 0
  /** Called with each packet before its receiver steps. */
  onDeliver: ((packet: Packet) => void) | null = null
  /** Called with each event, after its node stepped it and before its Output is carried out. */
  onStep: ((node: SimulatedNode, event: CoreEvent) => void) | null = null
  /** Called with each Output before it is carried out. */
  onOutput: ((node: SimulatedNode, output: Output) => void) | null = null
  readonly #cuts = new Set<string>()
  /** By node, boot and id of a read: what was committed anywhere when it was asked. */
  readonly #asked = new Map<string, number>()
  readonly #checksFreshness: boolean

  constructor(options: ClusterOptions = {}) {
    const { voters = ['a', 'b', 'c'], learners = [], joiners = [], disks = {}, clocks = {}, ...others } = options
    const { checkFreshness = true, ...rest } = others
    const configuration = configurationOf(voters, learners)
    const nodes = new Map<NodeId, SimulatedNode>()
    const hooks = {
      post: (from: SimulatedNode, to: NodeId, message: Message) => this.#post(from, to, message),
      onStep: (node: SimulatedNode, event: CoreEvent) => this.onStep?.(node, event),
      onOutput: (node: SimulatedNode, output: Output) => {
        this.onOutput?.(node, output)
        this.checks.onOutput(node, output)
        for (const read of output.reads) {
          if (read.type !== 'ready') continue
          this.checks.checkRead(node, read.readIndex, this.#asked.get(`${node.id} ${node.boot} ${read.id}`) ?? 0)
        }
      },
    }
    ;[...voters, ...learners, ...joiners].forEach((id, at) => {
      const known = joiners.includes(id) ? null : configuration
      const own = { ...DEFAULT_NODE, ...rest, id, configuration: known, seed: (rest.seed ?? 1) * 1_000 + at }
      nodes.set(id, new SimulatedNode(own, hooks, disks[id] ?? EMPTY_DISK))
    })
    this.nodes = nodes
    this.checks = new ClusterChecks(nodes, () => this.now)
    this.#checksFreshness = checkFreshness
    for (const [id, node] of nodes) node.start(clocks[id] ?? 0)
  }

  node(id: NodeId): SimulatedNode {
    const node = this.nodes.get(id)
    if (node === undefined) throw new Error(`there is no node ${id}`)
    return node
  }

  get up(): readonly SimulatedNode[] {
    return [...this.nodes.values()].filter((node) => node.isUp)
  }

  /** The leader of the highest term. */
  get leader(): SimulatedNode | null {
    const leaders = this.up.filter((node) => node.state.role === 'leader')
    return leaders.sort((a, b) => b.state.currentTerm - a.state.currentTerm)[0] ?? null
  }

  /** Ticks one node, its clock alone, until it campaigns. */
  campaign(id: NodeId): void {
    const node = this.node(id)
    const term = node.state.currentTerm
    const round = node.state.preVoteRound
    while (node.state.preVoteRound === round && node.state.currentTerm === term) {
      node.tick(Math.max(0, node.deadline - node.clock))
    }
  }

  /** Campaigns and delivers until it leads and everybody knows. */
  elect(id: NodeId): SimulatedNode {
    this.campaign(id)
    this.settle()
    const node = this.node(id)
    if (node.state.role !== 'leader') throw new Error(`${id} is ${node.state.role} in term ${node.state.currentTerm}`)
    return node
  }

  read(id: NodeId, byLease = false): number {
    const node = this.node(id)
    // The answer may come within the step, so what is committed now is noted for the id that the node will take next.
    const committed = this.checks.committedIndex
    this.#asked.set(`${id} ${node.boot} ${node.nextId}`, committed)
    return node.read(byLease)
  }

  /** Delivers one packet, wherever it stands in the queue. */
  deliverPacket(packet: Packet): void {
    this.network.splice(this.network.indexOf(packet), 1)
    const node = this.node(packet.to)
    if (!node.isUp) return
    this.onDeliver?.(packet)
    node.receive(packet.from, packet.message)
    this.check()
  }

  /** Delivers what is queued now and matches, oldest first; returns how many there were. */
  deliver(match: Match = () => true): number {
    const packets = this.network.filter(match)
    for (const packet of packets) this.deliverPacket(packet)
    return packets.length
  }

  /** Delivers until nothing that matches is left. */
  settle(match: Match = () => true): void {
    for (let round = 0; this.deliver(match) > 0; round++) {
      if (round > 10_000) throw new Error('messages beget messages for ever')
    }
  }

  drop(match: Match = () => true): number {
    const before = this.network.length
    this.network = this.network.filter((packet) => !match(packet))
    return before - this.network.length
  }

  duplicate(packet: Packet): void {
    this.network.push(packet)
  }

  /** One way, until healed. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(`${from} ${to}`)
    this.drop((packet) => packet.from === from && packet.to === to)
  }

  partition(...groups: readonly (readonly NodeId[])[]): void {
    const groupOf = (id: NodeId) => groups.findIndex((group) => group.includes(id))
    const ids = [...this.nodes.keys()]
    for (const from of ids) for (const to of ids) if (groupOf(from) !== groupOf(to)) this.cut(from, to)
  }

  heal(): void {
    this.#cuts.clear()
  }

  crash(id: NodeId): void {
    this.node(id).crash()
  }

  restart(id: NodeId, clock = 0): void {
    this.node(id).start(clock)
    this.check()
  }

  /** Lets time pass for everybody and ticks whoever is due; delivers everything when `delivers`. */
  advance(ms: number, delivers = false): void {
    const until = this.now + ms
    for (;;) {
      if (delivers) this.settle()
      const due = this.up.map((node) => this.now + Math.max(0, node.deadline - node.clock))
      const next = Math.min(...due, until)
      this.pass(next - this.now)
      if (next >= until && !due.some((at) => at <= until)) break
      const late = this.up.filter((node) => node.deadline <= node.clock)
      for (const node of late) node.tick()
      this.check()
      if (next >= until) break
    }
    if (delivers) this.settle()
  }

  /** Time passes, delivering everything. */
  run(ms: number): void {
    this.advance(ms, true)
  }

  /** Time passes and nobody notices. */
  pass(ms: number): void {
    this.now += ms
    for (const node of this.nodes.values()) node.clock += ms
  }

  check(): void {
    if (this.#checksFreshness) this.checks.checkFreshness()
  }

  #post(from: SimulatedNode, to: NodeId, message: Message): void {
    this.checks.onSend(from, to, message)
    if (!this.nodes.has(to) || this.#cuts.has(`${from.id} ${to}`)) return
    this.network.push({ from: from.id, to, message })
  }
}

export function configurationOf(voters: readonly NodeId[], learners: readonly NodeId[] = []): Configuration {
  return bootstrapConfiguration([
    ...voters.map((id) => ({ id, address: id })),
    ...learners.map((id) => ({ id, address: id, suffrage: 'learner' as const })),
  ])
}

/** A disk whose log holds an entry for each of `terms`; its hard state is of the last one unless given. */
export function diskOf(terms: readonly Term[], currentTerm?: Term, votedFor: NodeId | null = null): Durable {
  const log = terms.map((term, at) => {
    const data = new TextEncoder().encode(`${at + 1}:${term}`)
    return { index: at + 1, term, type: 'command' as const, timestamp: 0, data }
  })
  return { ...EMPTY_DISK, hardState: { currentTerm: currentTerm ?? terms.at(-1) ?? 0, votedFor }, log }
}

/** Packets of one type, or of one link. */
export const ofType =
  (...types: readonly Message['type'][]): Match =>
  ({ message }) =>
    types.includes(message.type)
export const between =
  (from: NodeId, to: NodeId): Match =>
  (packet) =>
    packet.from === from && packet.to === to
export const to =
  (...ids: readonly NodeId[]): Match =>
  (packet) =>
    ids.includes(packet.to)
export const both =
  (...matches: readonly Match[]): Match =>
  (packet) =>
    matches.every((match) => match(packet))
