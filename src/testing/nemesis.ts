// Does harm at random: which kinds of fault a run has, and how often, is drawn once by the swarm; when and whom they hit
// is drawn here, as the cluster goes. Several faults follow the leader, because what it leaves half done is what counts.
import type { NodeId } from '../core/types.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Cluster } from './cluster.js'
import type { FaultKind } from './fault-plan.js'
import { bridgeCuts, type Link, ringCuts } from './link-patterns.js'
import { drawChanges } from './membership-harm.js'
import type { HarmToOne, MembershipHarm, NemesisKind, NemesisSettings } from './nemesis-kinds.js'
import type { SimulationRandom } from './prng.js'

/** Most effects of a process that pass before it dies in the middle of one. */
const MAX_EFFECTS_BEFORE_CRASH = 30

/** Most effects of a new process before it dies: its first is the write of its boot. */
const MAX_EFFECTS_OF_START = 6

/** Most effects of a process in a new role before it dies. */
const MAX_EFFECTS_IN_ROLE = 8

/** Runs until it is ended; what it began is then undone by whoever ends it. */
export class Nemesis<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly #cluster: Cluster<Command, Result, SM>
  readonly #settings: NemesisSettings
  readonly #random: SimulationRandom
  #isEnded = false

  constructor(cluster: Cluster<Command, Result, SM>, settings: NemesisSettings, random: SimulationRandom) {
    this.#cluster = cluster
    this.#settings = settings
    this.#random = random
  }

  begin(): void {
    if (this.#settings.kinds.length > 0) this.#plan()
  }

  end(): void {
    this.#isEnded = true
  }

  #plan(): void {
    this.#later(this.#settings.intervalMs, () => {
      this.#strike(this.#random.pick(this.#settings.kinds))
      this.#plan()
    })
  }

  #strike(kind: NemesisKind): void {
    const target = this.#random.pick(this.#cluster.ids)
    switch (kind) {
      case 'crash':
        return this.#downFor([target])
      case 'crashLeader':
        return this.#downFor(this.#leader())
      case 'crashCandidate':
        return this.#crashNext('candidate')
      case 'crashNewLeader':
        return this.#crashNext('leader')
      case 'crashAll':
        return this.#downFor(this.#cluster.ids)
      case 'crashLoop':
        return this.#crashLoop(target)
      case 'stop':
        return this.#stop(target)
      case 'transfer':
        return this.#transfer(target)
      case 'crashRotten':
        return this.#crashRotten(target)
      case 'isolateLeader':
        return this.#isolateWithMinority(this.#leader())
      case 'deafLeader':
        return this.#deafen(this.#leader())
      case 'strandLeader':
        return this.#strand()
      case 'strandWrites':
        return this.#strandWrites()
      case 'strandCandidate':
        return this.#strandCandidate()
      case 'sleepingMinority':
        return this.#sleepingMinority()
      case 'partition':
        return this.#partition()
      case 'bridge':
        return this.#bridge()
      case 'ring':
        return this.#ring()
      case 'clog':
        return this.#clog()
      case 'cut':
        return this.#cut()
      case 'pauseLeader':
      case 'suspendLeader':
        return this.#pause(this.#leader(), kind === 'suspendLeader' ? 'suspend' : 'pause')
      case 'reset':
        return this.#reset()
      case 'add':
      case 'remove':
      case 'promote':
      case 'demote':
      case 'replace':
      case 'removeLeader':
      case 'readd':
        return this.#changeMembership(kind)
      default:
        return this.#harm(kind, target)
    }
  }

  #harm(kind: HarmToOne, node: NodeId): void {
    switch (kind) {
      case 'crashAtEffect':
        return this.#crashAtEffect(node)
      case 'crashStarting':
        return this.#crashStarting(node)
      case 'wipeDisk':
        return this.#wipe(node)
      case 'pause':
        return this.#pause([node])
      case 'suspend':
        return this.#pause([node], 'suspend')
      case 'clockRate':
        return this.#changeClock(node)
      case 'slowDisk':
        return this.#slowDisk(node)
      case 'rotDisk':
      case 'stranger':
      case 'snapshot':
        return this.#inject({ type: kind, node })
      default:
        this.#inject({ type: kind, node })
        // Also when nothing was being written and so nothing failed.
        return this.#later(this.#settings.durationMs, () => this.#downFor([node]))
    }
  }

  #crashAtEffect(node: NodeId): void {
    this.#inject({ type: 'crash', node, afterEffects: this.#random.integer(0, MAX_EFFECTS_BEFORE_CRASH) })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'restart', node }))
  }

  /** Whoever takes that role next dies soon after, and is back before the answers to it are (H6, H118). */
  #crashNext(role: 'candidate' | 'leader'): void {
    this.#cluster.onNext(role, (node) => {
      this.#inject({ type: 'crash', node, afterEffects: this.#random.integer(0, MAX_EFFECTS_IN_ROLE) })
      const [shortest] = this.#settings.durationMs
      this.#later([shortest / 10, shortest], () => this.#inject({ type: 'restart', node }))
    })
  }

  #changeClock(node: NodeId): void {
    const { slowest, fastest } = this.#cluster.clockRates
    this.#inject({ type: 'clockRate', node, ratio: this.#random.between(slowest, fastest) })
  }

  #pause(ids: readonly NodeId[], type: 'pause' | 'suspend' = 'pause'): void {
    const forMs = this.#random.between(...this.#settings.durationMs)
    for (const node of ids) this.#inject({ type, node, forMs })
  }

  /** Crashes them together; each comes back in its own time. */
  #downFor(ids: readonly NodeId[]): void {
    for (const node of ids) {
      this.#inject({ type: 'crash', node })
      this.#later(this.#settings.durationMs, () => this.#inject({ type: 'restart', node }))
    }
  }

  /** Lives of a moment, one after the other: what was meant for one of them arrives in the next (H66, H95). */
  #crashLoop(node: NodeId): void {
    const [shortest] = this.#settings.durationMs
    const lives = this.#random.integer(2, 5)
    this.#inject({ type: 'crash', node })
    let atMs = 0
    for (let life = 1; life <= lives; life++) {
      const crash = (): void => this.#inject({ type: 'crash', node })
      const restart = (): void => this.#inject({ type: 'restart', node })
      atMs += this.#random.between(0, shortest / 4)
      this.#later([atMs, atMs], restart)
      atMs += this.#random.between(0, shortest)
      if (life < lives) this.#later([atMs, atMs], crash)
    }
  }

  /** Lives that end while they begin, or soon after: at every effect of a start, whatever the life before left (H80, F30). */
  #crashStarting(node: NodeId): void {
    this.#inject({ type: 'crash', node })
    const lives = this.#random.integer(1, 4)
    for (let life = 1, atMs = 0; life <= lives; life++) {
      atMs += this.#random.between(...this.#settings.durationMs)
      const afterEffects = this.#random.integer(0, MAX_EFFECTS_OF_START)
      this.#later([atMs, atMs], () => {
        this.#inject({ type: 'restart', node })
        this.#inject({ type: 'crash', node, afterEffects })
      })
    }
    const [, longest] = this.#settings.durationMs
    this.#later([(lives + 1) * longest, (lives + 2) * longest], () => this.#inject({ type: 'restart', node }))
  }

  /** Something on its disk is damaged when it comes back: of a snapshot that is soon, or a newer one has replaced it (F30). */
  #crashRotten(node: NodeId): void {
    this.#inject({ type: 'rotDisk', node })
    this.#downFor([node])
  }

  /** It comes back empty. Mostly somebody notices, and has it removed and added again (H19). */
  #wipe(node: NodeId): void {
    this.#inject({ type: 'wipeDisk', node })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'restart', node }))
    const wasWiped = this.#cluster.process(node)?.disk.wasWiped ?? false
    if (!wasWiped || this.#random.chance(0.4)) return
    const [, longest] = this.#settings.durationMs
    this.#later([longest / 2, 4 * longest], () => this.#inject({ type: 'remove', node }))
    this.#later([4 * longest, 10 * longest], () => this.#inject({ type: 'add', node }))
  }

  #stop(node: NodeId): void {
    const process = this.#cluster.process(node)
    if (process === null || process.isDiskBroken) return
    this.#inject({ type: 'stop', node })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'restart', node }))
  }

  /** To a node that is named, or not; where that one is down or the leader itself it comes to nothing. */
  #transfer(to: NodeId): void {
    const isNamed = this.#random.chance(0.6)
    this.#inject({ type: 'transfer', node: 'leader', ...(isNamed ? { to } : {}) })
  }

  /** What belongs together comes one after the other, soon: the first may still be under way. */
  #changeMembership(kind: MembershipHarm): void {
    const [, longest] = this.#settings.durationMs
    const [first, ...more] = drawChanges(kind, this.#cluster, { random: this.#random, longestMs: longest })
    if (first !== undefined) this.#inject(first)
    for (const fault of more) this.#later([0, longest / 2], () => this.#inject(fault))
  }

  #slowDisk(node: NodeId): void {
    const process = this.#cluster.process(node)
    const before = process?.disk.speed.writeMs
    if (before === undefined) return
    const [, longest] = this.#settings.durationMs
    this.#inject({ type: 'slowDisk', node, writeMs: [longest / 20, longest / 2] })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'slowDisk', node, writeMs: before }))
  }

  /** The leader is cut off, alone or with so few others that they are no majority together. */
  #isolateWithMinority(leader: readonly NodeId[]): void {
    this.#isolate(leader, this.#random.integer(0, Math.ceil(this.#cluster.ids.length / 2) - 2))
  }

  /** The leader reaches `reached` others only, and they it. */
  #isolate(leader: readonly NodeId[], reached: number): void {
    const [node] = leader
    if (node === undefined) return
    const others = this.#random.shuffle(this.#cluster.ids.filter((id) => id !== node)).slice(reached)
    const mayHear = this.#random.chance(0.3)
    for (const other of others) {
      this.#inject({ type: 'cut', from: node, to: other })
      if (!mayHear) this.#inject({ type: 'cut', from: other, to: node })
    }
    const connectsAnew = this.#random.chance(0.3)
    this.#later(this.#settings.durationMs, () => {
      this.#inject({ type: 'heal' })
      // A connection that was silent for long is given up, and the next one begins without a word of what was agreed on.
      if (connectsAnew) for (const other of others) this.#inject({ type: 'reset', nodes: [node, other] })
    })
  }

  /** Nobody reaches the leader any more, which reaches everybody (H13). */
  #deafen([leader]: readonly NodeId[]): void {
    if (leader === undefined) return
    for (const from of this.#cluster.ids) if (from !== leader) this.#inject({ type: 'cut', from, to: leader })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'heal' }))
  }

  /** Figure 8: the leader replicates to a few and crashes; it comes back when another one may have led. */
  #strand(): void {
    const leader = this.#leader()
    const [node] = leader
    if (node === undefined) return
    this.#isolate(leader, this.#random.integer(0, Math.floor(this.#cluster.ids.length / 2)))
    const [shortest] = this.#settings.durationMs
    this.#later([shortest / 4, shortest], () => {
      this.#downFor([node])
      this.#inject({ type: 'heal' })
    })
  }

  /**
   * The leader's writes take longer than it is cut off: when it is back another one leads, whose entries replace those that
   * are still being written (H26). Now and then it dies in the middle of that (H80).
   */
  #strandWrites(): void {
    const leader = this.#leader()
    const [node] = leader
    const before = node === undefined ? undefined : this.#cluster.process(node)?.disk.speed.writeMs
    if (node === undefined || before === undefined) return
    const [shortest, longest] = this.#settings.durationMs
    this.#inject({ type: 'slowDisk', node, writeMs: [longest, 3 * longest] })
    this.#later([shortest / 20, shortest / 4], () => this.#isolate([node], 0))
    this.#later([2 * longest, 4 * longest], () => {
      if (this.#random.chance(0.3)) this.#downFor([node])
      this.#inject({ type: 'slowDisk', node, writeMs: before })
    })
  }

  /**
   * A leader stands still until somebody asks for votes, and goes on before the request has left: the candidate is alone
   * with its new term, and comes back when the old leader leads as ever (H10).
   */
  #strandCandidate(): void {
    const [leader] = this.#leader()
    if (leader === undefined) return
    const [, longest] = this.#settings.durationMs
    this.#inject({ type: 'pause', node: leader, forMs: 4 * longest })
    this.#cluster.onNext('candidate', (candidate) => {
      for (const other of this.#cluster.ids) {
        if (other === candidate) continue
        this.#inject({ type: 'cut', from: candidate, to: other })
        this.#inject({ type: 'cut', from: other, to: candidate })
      }
      this.#inject({ type: 'resume', node: leader })
      this.#later(this.#settings.durationMs, () => this.#inject({ type: 'heal' }))
    })
  }

  /** The leader and a few others are cut off and stand still together: when they wake they believe each other (F21). */
  #sleepingMinority(): void {
    const [leader] = this.#leader()
    if (leader === undefined) return
    const rest = this.#random.shuffle(this.#cluster.ids.filter((id) => id !== leader))
    const minority = [leader, ...rest.splice(0, Math.floor((rest.length - 2) / 2))]
    if (rest.length <= minority.length) return
    this.#inject({ type: 'partition', groups: [minority, rest] })
    const forMs = this.#random.between(...this.#settings.durationMs)
    for (const node of minority) this.#inject({ type: 'pause', node, forMs })
    const [shortest, longest] = this.#settings.durationMs
    this.#later([forMs + shortest / 2, forMs + longest / 2], () => this.#inject({ type: 'heal' }))
  }

  #partition(): void {
    const ids = this.#random.shuffle(this.#cluster.ids)
    const size = this.#random.integer(1, Math.max(1, ids.length - 1))
    this.#inject({ type: 'partition', groups: [ids.slice(0, size), ids.slice(size)] })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'heal' }))
  }

  /** Two halves that only one node in the middle can see (H14). */
  #bridge(): void {
    const ids = this.#random.shuffle(this.#cluster.ids)
    if (ids.length > 2) this.#cutFor(bridgeCuts(ids))
  }

  /** Each node sees two neighbours only (H14). */
  #ring(): void {
    this.#cutFor(ringCuts(this.#random.shuffle(this.#cluster.ids)))
  }

  #cutFor(links: readonly Link[]): void {
    for (const { from, to } of links) this.#inject({ type: 'cut', from, to })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'heal' }))
  }

  #clog(): void {
    const [from, to] = this.#random.shuffle(this.#cluster.ids)
    if (from === undefined || to === undefined) return
    this.#inject({ type: 'clog', from, to, forMs: this.#random.between(...this.#settings.durationMs) })
  }

  #cut(): void {
    const [from, to] = this.#random.shuffle(this.#cluster.ids)
    if (from === undefined || to === undefined) return
    this.#inject({ type: 'cut', from, to })
    this.#later(this.#settings.durationMs, () => this.#inject({ type: 'heal' }))
  }

  #reset(): void {
    const [one, other] = this.#random.shuffle(this.#cluster.ids)
    if (one === undefined || other === undefined) return
    this.#inject({ type: 'reset', nodes: [one, other] })
  }

  #leader(): readonly NodeId[] {
    const leader = this.#cluster.leader
    return leader === null ? [] : [leader.id]
  }

  #inject(fault: FaultKind): void {
    if (!this.#isEnded) this.#cluster.inject(fault)
  }

  #later(delayMs: readonly [min: number, max: number], act: () => void): void {
    this.#cluster.timeline.after(this.#random.between(...delayMs), () => {
      if (!this.#isEnded) act()
    })
  }
}
