// The network of a simulation (assurance §1): per directed link it loses, duplicates, delays and reorders, it can be cut
// one way or into groups, and connections can be reset with their tail. It never corrupts and never invents a message.
import type { Message } from '../core/messages.js'
import type { NodeId } from '../core/types.js'
import type { Transport, TransportLocal } from '../interfaces/transport.js'
import type { ProcessGate } from './process-gate.js'
import type { SimulationRandom } from './prng.js'
import type { Timeline } from './timeline.js'

/** What every link does to messages. */
export interface LinkFaults {
  /** Share of messages that are lost. */
  readonly lossRatio: number
  /** Share of messages with entries that are lost beside that: leaders come to power but replicate to few (figure 8). */
  readonly bulkLossRatio: number
  /** Share of messages that arrive twice. */
  readonly duplicateRatio: number
  readonly latencyMs: readonly [min: number, max: number]
  /** Share of messages that take up to `straggleMs` longer: old packets that come back. */
  readonly straggleRatio: number
  readonly straggleMs: number
  /** Share of ANSWERS that straggle beside that: they meet a later term (H4, H24, H115). @defaultValue 0 */
  readonly answerStraggleRatio?: number
  /** Like TCP: nothing overtakes anything on one link, but for stragglers and second copies. */
  readonly keepsOrder: boolean
  /** Share of messages that arrive damaged: the receiver can't read the frame, and ends the connection (H91). */
  readonly damageRatio?: number
}

/** What a node must not take for the answer to something else when it comes late. */
const ANSWERS: readonly Message['type'][] = ['requestVoteResponse', 'appendEntriesResponse', 'proposeResponse']

/** A network without faults, in one data centre. */
export const CALM_LINKS: LinkFaults = Object.freeze({
  lossRatio: 0,
  bulkLossRatio: 0,
  duplicateRatio: 0,
  latencyMs: Object.freeze([0.2, 2] as const),
  straggleRatio: 0,
  straggleMs: 0,
  keepsOrder: true,
})

/** Messages under way at once; beyond it they are lost, as in a full queue. */
export const MAX_IN_FLIGHT = 100_000

/** Largest message that a simulated link carries, bytes; links don't measure, but the node must respect it. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

export interface VirtualNetworkOptions {
  readonly timeline: Timeline
  readonly random: SimulationRandom
  /** How a message crosses from one process to another: by value, never by reference. @defaultValue a copy */
  readonly carry?: ((message: Message) => Message) | undefined
  /** Told of everything before it happens. */
  readonly watch?: NetworkWatch | undefined
}

export interface NetworkWatch {
  onSend?(from: VirtualTransport, to: NodeId, message: Message): void
  onReceive?(from: VirtualTransport, to: VirtualTransport, message: Message): void
  onPeerStatus?(at: VirtualTransport, peer: NodeId, status: 'up' | 'closed' | 'reset'): void
  /** `by` heard what the other end says of itself, and refused it with `error`; null when it took it. */
  onHello?(by: VirtualTransport, other: VirtualTransport, error: unknown): void
  onFault?(name: string): void
}

/** A message under way. */
interface Packet {
  readonly from: VirtualTransport
  readonly to: NodeId
  readonly message: Message
  /** What it was sent on; null where none was open. What is on it may arrive after its end, and its sender's. */
  readonly connection: Connection | null
}

/** Both ends said hello to each other. */
interface Connection {
  readonly ends: readonly [VirtualTransport, VirtualTransport]
  isOpen: boolean
}

/** All links between the processes of a simulation. */
export class VirtualNetwork {
  readonly #options: VirtualNetworkOptions
  readonly #carry: (message: Message) => Message
  readonly #current = new Map<NodeId, VirtualTransport>()
  readonly #cuts = new Set<string>()
  readonly #lastArrivalMs = new Map<string, number>()
  /** Until when nothing comes through a link; what was sent meanwhile then arrives at once. */
  readonly #clogs = new Map<string, number>()
  #links: LinkFaults = CALM_LINKS
  #inFlight = 0

  constructor(options: VirtualNetworkOptions) {
    this.#options = options
    this.#carry = options.carry ?? copyMessage
  }

  /** Where peers find that node; what a member's `address` is in a simulation. */
  static addressOf(id: NodeId): string {
    return `${id}.simulated:7000`
  }

  /** The transport of a new incarnation of that node. */
  transport(id: NodeId, gate: ProcessGate): VirtualTransport {
    return new VirtualTransport(this, id, gate)
  }

  setLinks(links: LinkFaults): void {
    this.#links = links
  }

  /** Only nodes of the same group reach each other; a node in no group reaches nobody. */
  partition(groups: readonly (readonly NodeId[])[]): void {
    const groupOf = new Map<NodeId, number>()
    groups.forEach((group, at) => {
      for (const id of group) groupOf.set(id, at)
    })
    const ids = [...new Set([...groupOf.keys(), ...this.#current.keys()])]
    for (const from of ids) {
      for (const to of ids) {
        if (from !== to && (!groupOf.has(from) || groupOf.get(from) !== groupOf.get(to))) this.cut(from, to)
      }
    }
  }

  /** Nothing goes from one node to the other any more; what is under way arrives. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(linkOf(from, to))
  }

  /** What goes from one node to the other waits in between, and comes out at once when the time is over. */
  clog(from: NodeId, to: NodeId, forMs: number): void {
    this.#clogs.set(linkOf(from, to), this.#options.timeline.nowMs + forMs)
  }

  /** Ends all cuts and partitions. What is clogged up arrives when its time has come. */
  heal(): void {
    this.#cuts.clear()
    this.#clogs.clear()
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts.has(linkOf(from, to))
  }

  /** Both ends see a RST, and half of what is under way between them is lost. */
  reset(one: NodeId, other: NodeId): void {
    const [a, b] = [this.#current.get(one), this.#current.get(other)]
    if (a === undefined || b === undefined || !a.connections.has(b)) return
    this.#fault('reset')
    this.#disconnect(a, b, { tells: [a, b] })
  }

  /** The process behind it died. Peers that its machine can still tell see a RST; half of its last messages are lost. */
  crash(transport: VirtualTransport): void {
    const isPowerLoss = this.#options.random.chance(0.3)
    for (const peer of [...transport.connections.keys()]) {
      this.#disconnect(transport, peer, { tells: isPowerLoss ? [] : [peer] })
    }
    this.#leave(transport)
  }

  /** The transport that listens at that node's address now. */
  listenerAt(id: NodeId): VirtualTransport | null {
    return this.#current.get(id) ?? null
  }

  /** @internal A transport listens from now on. */
  join(transport: VirtualTransport): void {
    this.#current.set(transport.id, transport)
  }

  /** @internal A transport ended by itself: its peers see a FIN. */
  stop(transport: VirtualTransport): void {
    for (const peer of [...transport.connections.keys()]) this.#disconnect(transport, peer, { tells: [peer] })
    this.#leave(transport)
  }

  /** @internal */
  send(from: VirtualTransport, to: { id: NodeId; address?: string | undefined }, message: Message): void {
    const { random, watch } = this.#options
    watch?.onSend?.(from, to.id, message)
    if (to.address === undefined && !this.#isConnected(from, to.id)) return this.#fault('noConnection')
    if (to.address !== undefined && to.address !== VirtualNetwork.addressOf(to.id)) return this.#fault('wrongAddress')
    if (this.isCut(from.id, to.id)) return this.#fault('cut')
    const { lossRatio, bulkLossRatio } = this.#links
    if (random.chance(lossRatio)) return this.#fault('loss')
    const isBulk = message.type === 'appendEntries' && message.entries.length > 0
    if (isBulk && random.chance(bulkLossRatio)) return this.#fault('bulkLoss')
    this.#launch(from, to.id, this.#carry(message), false)
    if (random.chance(this.#links.duplicateRatio)) {
      this.#fault('duplicate')
      this.#launch(from, to.id, this.#carry(message), true)
    }
  }

  #launch(from: VirtualTransport, to: NodeId, message: Message, isCopy: boolean): void {
    if (this.#inFlight >= MAX_IN_FLIGHT) return this.#fault('overflow')
    this.#inFlight += 1
    const current = this.#current.get(to)
    const connection = current === undefined ? null : (from.connections.get(current) ?? null)
    const isAnswer = ANSWERS.includes(message.type)
    this.#options.timeline.schedule(this.#arrivalMs(linkOf(from.id, to), { isCopy, isAnswer }), () => {
      this.#inFlight -= 1
      this.#arrive({ from, to, message, connection })
    })
  }

  #arrivalMs(link: string, { isCopy, isAnswer }: { readonly isCopy: boolean; readonly isAnswer: boolean }): number {
    const { timeline, random } = this.#options
    const { latencyMs, keepsOrder, straggleRatio, answerStraggleRatio = 0, straggleMs } = this.#links
    const clearsAtMs = this.#clogs.get(link) ?? 0
    if (clearsAtMs > timeline.nowMs) this.#fault('clog')
    const drawn = Math.max(timeline.nowMs, clearsAtMs) + random.between(...latencyMs)
    if (random.chance(isAnswer ? Math.max(straggleRatio, answerStraggleRatio) : straggleRatio)) {
      this.#fault('straggle')
      return drawn + random.between(0, straggleMs)
    }
    if (!keepsOrder || isCopy) return drawn
    const arrival = Math.max(drawn, this.#lastArrivalMs.get(link) ?? 0)
    this.#lastArrivalMs.set(link, arrival)
    return arrival
  }

  #arrive({ from, to, message, connection }: Packet): void {
    const { random, watch } = this.#options
    const target = this.#current.get(to)
    if (target === undefined) return this.#fault('nobodyHome')
    if (connection?.isOpen === false && random.chance(0.5)) return this.#fault('lostTail')
    if (random.chance(this.#links.damageRatio ?? 0)) return this.#dropDamaged(from, target)
    const isOnConnection = connection?.ends.includes(target) ?? false
    target.gate.enter('message', () => {
      if (target.local === null || !(isOnConnection || this.#connect(from, target))) return
      watch?.onReceive?.(from, target, message)
      target.local.receive(from.id, message)
    })
  }

  #dropDamaged(from: VirtualTransport, target: VirtualTransport): void {
    this.#fault('damagedFrame')
    if (from.connections.has(target)) this.#disconnect(from, target, { tells: [from] })
  }

  /** A message opens the connection that it travels on: both ends check each other's hello first. */
  #connect(from: VirtualTransport, target: VirtualTransport): boolean {
    if (from.connections.has(target)) return true
    // A process that is gone, or stands still, answers no hello.
    if (from.local === null || target.local === null || from.gate.isDead || from.gate.isPaused) return false
    if (!this.#accepts(target, from) || !this.#accepts(from, target)) return false
    const connection: Connection = { ends: [from, target], isOpen: true }
    from.connections.set(target, connection)
    target.connections.set(from, connection)
    this.#tell(from, target.id, 'up')
    this.#options.watch?.onPeerStatus?.(target, from.id, 'up')
    target.local.peerStatus(from.id, 'up')
    return true
  }

  #accepts(by: VirtualTransport, other: VirtualTransport): boolean {
    const hello = other.local?.hello.slice()
    const { watch } = this.#options
    try {
      const isKnown = hello !== undefined && by.local?.accept(hello) === other.id
      watch?.onHello?.(by, other, isKnown ? null : new RangeError(`took ${other.id} for somebody else`))
      return isKnown
    } catch (error) {
      watch?.onHello?.(by, other, error)
      return false
    }
  }

  #disconnect(one: VirtualTransport, other: VirtualTransport, { tells }: { tells: readonly VirtualTransport[] }): void {
    const connection = one.connections.get(other)
    if (connection !== undefined) connection.isOpen = false
    one.connections.delete(other)
    other.connections.delete(one)
    for (const end of tells) this.#tell(end, end === one ? other.id : one.id, 'reset')
  }

  #tell(end: VirtualTransport, peer: NodeId, status: 'up' | 'reset'): void {
    const { timeline, random, watch } = this.#options
    const delayMs = status === 'up' ? 0 : random.between(...this.#links.latencyMs)
    timeline.after(delayMs, () => {
      end.gate.enter('message', () => {
        if (end.local === null) return
        watch?.onPeerStatus?.(end, peer, status)
        end.local.peerStatus(peer, status)
      })
    })
  }

  #isConnected(from: VirtualTransport, to: NodeId): boolean {
    const target = this.#current.get(to)
    return target !== undefined && from.connections.has(target)
  }

  #leave(transport: VirtualTransport): void {
    if (this.#current.get(transport.id) === transport) this.#current.delete(transport.id)
  }

  #fault(name: string): void {
    this.#options.watch?.onFault?.(name)
  }
}

/** The transport of one incarnation of a process. */
export class VirtualTransport implements Transport {
  readonly maxMessageBytes: number = MAX_MESSAGE_BYTES
  readonly id: NodeId
  readonly gate: ProcessGate
  /** Ends that both said hello; bounded by the number of nodes. */
  readonly connections: Map<VirtualTransport, Connection> = new Map()
  readonly #network: VirtualNetwork
  #local: TransportLocal | null = null

  constructor(network: VirtualNetwork, id: NodeId, gate: ProcessGate) {
    this.#network = network
    this.id = id
    this.gate = gate
  }

  /** What the node handed in; null before `start` and after `stop`. */
  get local(): TransportLocal | null {
    return this.gate.isDead ? null : this.#local
  }

  start(local: TransportLocal): Promise<void> {
    this.#local = local
    this.#network.join(this)
    return Promise.resolve()
  }

  send(to: { readonly id: NodeId; readonly address?: string | undefined }, message: Message): void {
    this.gate.effect()
    if (this.local !== null) this.#network.send(this, to, message)
  }

  stop(): Promise<void> {
    if (this.local !== null) this.#network.stop(this)
    this.#local = null
    return Promise.resolve()
  }
}

/** A copy that shares nothing with the original which either side could change. */
export function copyMessage(message: Message): Message {
  if (message.type === 'appendEntries') {
    return { ...message, entries: message.entries.map((entry) => ({ ...entry, data: entry.data.slice() })) }
  }
  if (message.type === 'proposeRequest') return { ...message, commands: message.commands.map((data) => data.slice()) }
  return { ...message }
}

function linkOf(from: NodeId, to: NodeId): string {
  return `${from}>${to}`
}
