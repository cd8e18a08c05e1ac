// Breadth-first over clusters. A cluster is: the state of each node, the history, and every packet that was ever sent and
// may still change anything. Packets stay when they are delivered, which is loss, duplication and reordering at once; only
// a follower's read is taken out, or its leader would collect copies of it without end.
import { ClusterChecks } from './cluster-checks.js'
import type { RemovedGuard } from './removed-guards.js'
import { stepsPassed } from './abstract-time.js'
import { localCode, PARAMETERS } from './action.js'
import { Canonical, type Cluster } from './canonical.js'
import { Environment } from './environment.js'
import { NumberList, VisitedSet } from './hash-tables.js'
import type { History } from './history.js'
import { firstCluster } from './first-cluster.js'
import type { Invariant } from './invariants.js'
import { type Model, nodeCount } from './model.js'
import { type ScriptStep, scriptText } from './script.js'
import { type NodeFacts, Tables, type Transition } from './tables.js'

export interface SearchResult {
  /** Distinct states, nodes renamed. */
  readonly states: number
  /** Steps to the state that is furthest away. */
  readonly depth: number
  /** Everything within the bounds was seen. */
  readonly complete: boolean
  readonly violation: { readonly invariant: string; readonly script: string } | null
}

export interface SearchOptions {
  readonly guard?: RemovedGuard | null
  /** Called after each depth. */
  readonly onDepth?: ((depth: number, states: number) => void) | undefined
}

const CRASHES: ReadonlySet<number> = new Set([localCode('crash'), localCode('crashAfterWrite'), localCode('wipe')])
const READ = localCode('read')
const CHANGE = localCode('change')
const TIME_PASSES = localCode('timePasses')
/** Nodes' numbers fit below, beside a code. */
const NODE_SLOTS = 8

/** How the search came to a cluster. */
interface Reached {
  readonly parent: number
  readonly step: number
  readonly extendsBase: boolean
}

const START: Reached = { parent: -1, step: -1, extendsBase: false }

/** A step, and what it made of its node. */
interface Taken {
  readonly node: number
  readonly code: number
  readonly transition: Transition
}

interface PacketsAfter {
  readonly packets: readonly number[]
  /** All packets of before are still there. */
  readonly extendsBase: boolean
}

function isChange(code: number): boolean {
  return code >= CHANGE && code < CHANGE + PARAMETERS
}

export class Search {
  readonly tables: Tables
  readonly #model: Model
  readonly #checks: ClusterChecks
  readonly #title: string
  readonly #onDepth: ((depth: number, states: number) => void) | undefined
  /** Where all runs begin. */
  readonly #first: Cluster
  readonly #canonical: Canonical
  readonly #visited = new VisitedSet()
  /** By number of a state: the state before, and the step from there. */
  readonly #parents = new NumberList()
  readonly #steps = new NumberList()
  #frontier = new NumberList()
  #nextFrontier = new NumberList()
  /** By packet: the last expansion whose state held it. */
  #heldAt = new Uint32Array(1_024)
  #expansion = 0
  #violation: SearchResult['violation'] = null

  constructor(model: Model, { guard = null, onDepth }: SearchOptions = {}) {
    this.#model = model
    this.#onDepth = onDepth
    this.#title = guard === null ? model.name : `${model.name}, while ${guard.description}`
    const environment = new Environment(model, guard)
    this.tables = new Tables(environment)
    this.#canonical = new Canonical(this.tables)
    this.#checks = new ClusterChecks(this.tables, ignoredBy(model, guard))
    this.#first = firstCluster(this.tables, environment, this.#checks)
  }

  run(): SearchResult {
    this.#visit(this.#first, START)
    let depth = -1
    while (this.#nextFrontier.length > 0 && this.#violation === null && !this.#isFull) {
      depth += 1
      this.#onDepth?.(depth, this.#visited.size)
      const done = this.#frontier
      this.#frontier = this.#nextFrontier
      done.clear()
      this.#nextFrontier = done
      this.#expandAll()
    }
    const complete = this.#violation === null && !this.#isFull
    return { states: this.#visited.size, depth: Math.max(0, depth), complete, violation: this.#violation }
  }

  get #isFull(): boolean {
    return this.#visited.size >= this.#model.maxStates
  }

  #expandAll(): void {
    const count = nodeCount(this.#model)
    for (let at = 0; at < this.#frontier.length && this.#violation === null && !this.#isFull; ) {
      const number = this.#frontier.at(at++)
      const history = this.#frontier.at(at++)
      const nodes: number[] = []
      for (let node = 0; node < count; node++) nodes.push(this.#frontier.at(at++))
      const packets: number[] = []
      for (let count = this.#frontier.at(at++); count > 0; count--) packets.push(this.#frontier.at(at++))
      this.#expand({ nodes, history, packets }, number)
    }
  }

  #expand(cluster: Cluster, number: number): void {
    this.#markHeld(cluster.packets)
    this.#canonical.begin(cluster.packets)
    const { crashes, changes, asked } = this.tables.histories[cluster.history] as History
    cluster.nodes.forEach((state, node) => {
      for (const action of (this.tables.nodes[state] as NodeFacts).actions) {
        if (CRASHES.has(action) && crashes >= this.#model.crashes) continue
        if (action === READ && asked.length >= this.#model.reads) continue
        if (isChange(action) && changes >= this.#model.maxChanges) continue
        this.#follow(cluster, number, { node, code: action === READ ? READ + asked.length + 1 : action })
      }
    })
    this.#passTime(cluster, number)
    for (const packet of cluster.packets) {
      const node = this.tables.receivers[packet] as number
      this.#follow(cluster, number, { node, code: this.tables.deliveryCode(packet, false) })
      if (this.tables.mayBeLate[packet] === true) {
        this.#follow(cluster, number, { node, code: this.tables.deliveryCode(packet, true) })
      }
    }
  }

  #markHeld(packets: readonly number[]): void {
    this.#expansion += 1
    if (this.#heldAt.length < this.tables.packets.length) {
      const grown = new Uint32Array(this.tables.packets.length * 2)
      grown.set(this.#heldAt)
      this.#heldAt = grown
    }
    for (const packet of packets) this.#heldAt[packet] = this.#expansion
  }

  /** Takes one step, checks where it leads and keeps that if it is new. */
  #follow(cluster: Cluster, number: number, { node, code }: { node: number; code: number }): void {
    if (this.#violation !== null) return
    const from = cluster.nodes[node] as number
    const transition = this.tables.transition(from, code)
    if (transition.isEmpty) return
    const isCrash = CRASHES.has(code)
    const read = code > READ && code < READ + PARAMETERS ? code - READ : 0
    const nodes = cluster.nodes.slice()
    nodes[node] = transition.to
    const done = { node, transition, isCrash, isChange: isChange(code), read }
    const history = this.#checks.after(nodes, cluster.history, done, cluster.packets)
    const step = code * NODE_SLOTS + node
    if (typeof history === 'number') {
      const { packets, extendsBase } = this.#packetsAfter(cluster, nodes, { node, code, transition })
      this.#visit({ nodes, history, packets }, { parent: number, step, extendsBase })
    } else {
      const steps = [...this.#stepsTo(number), { node, code, nodes, sent: transition.sent }]
      const script = scriptText(this.tables, { title: this.#title, first: this.#first.nodes }, steps, history)
      this.#violation = { invariant: history.invariant, script }
    }
  }

  /** All clocks go on together. No role, log or term changes, so that no invariant may break. */
  #passTime({ nodes, history, packets }: Cluster, number: number): void {
    const [first = 0] = nodes
    if (stepsPassed((this.tables.nodes[first] as NodeFacts).state.core) >= this.#model.leases) return
    const later = nodes.map((node) => this.tables.transition(node, TIME_PASSES).to)
    const reached = { parent: number, step: TIME_PASSES * NODE_SLOTS, extendsBase: true }
    this.#visit({ nodes: later, history, packets }, reached)
  }

  /** What was sent comes on top, and what can't change its receiver any more goes. */
  #packetsAfter(cluster: Cluster, nodes: readonly number[], { node, code, transition }: Taken): PacketsAfter {
    const { tables } = this
    const delivered = tables.packetOf(code)
    const termBefore = (tables.nodes[cluster.nodes[node] as number] as NodeFacts).durableTerm
    const durableTerm = (tables.nodes[transition.to] as NodeFacts).durableTerm
    const isAlive = (packet: number): boolean => {
      const receiver = tables.receivers[packet] as number
      const term = (tables.nodes[nodes[receiver] as number] as NodeFacts).durableTerm
      return (tables.deadFrom[packet] as number) > term
    }
    const before = cluster.packets
    const base = tables.isUnique[delivered] === true ? before.filter((packet) => packet !== delivered) : before
    const kept = durableTerm === termBefore || base.every(isAlive) ? base : base.filter(isAlive)
    const isNew = (packet: number, at: number): boolean =>
      this.#heldAt[packet] !== this.#expansion && transition.sent.indexOf(packet) === at && isAlive(packet)
    const added = transition.sent.filter(isNew)
    return { packets: added.length === 0 ? kept : kept.concat(added), extendsBase: kept === before }
  }

  /** Keeps the cluster if it is new, whatever its nodes are called. */
  #visit(cluster: Cluster, { parent, step, extendsBase }: Reached): void {
    const { nodes, history, packets } = cluster
    this.#canonical.hash(cluster, extendsBase)
    const [first = 0, second = 0, third = 0] = this.#canonical.words
    if (!this.#visited.add(first, second, third)) return
    const frontier = this.#nextFrontier
    frontier.push(this.#parents.length)
    frontier.push(history)
    for (const node of nodes) frontier.push(node)
    frontier.push(packets.length)
    for (const packet of packets) frontier.push(packet)
    this.#parents.push(parent)
    this.#steps.push(step)
  }

  #stepsTo(number: number): readonly ScriptStep[] {
    const taken: number[] = []
    for (let at = number; this.#parents.at(at) >= 0; at = this.#parents.at(at)) taken.push(this.#steps.at(at))
    let nodes = this.#first.nodes.slice()
    return taken.reverse().map((step) => {
      const node = step % NODE_SLOTS
      const code = (step - node) / NODE_SLOTS
      if (code === TIME_PASSES) {
        nodes = nodes.map((each) => this.tables.transition(each, code).to)
        return { node, code, nodes, sent: [] }
      }
      nodes = nodes.slice()
      const transition = this.tables.transition(nodes[node] as number, code)
      nodes[node] = transition.to
      return { node, code, nodes, sent: transition.sent }
    })
  }
}

/** What is not held against a run: of what was lost with a disk, fewer have it. */
function ignoredBy({ wipes }: Model, guard: RemovedGuard | null): readonly Invariant[] {
  return [...(guard?.ignores ?? []), ...(wipes ? (['committed is durable on a quorum'] as const) : [])]
}
