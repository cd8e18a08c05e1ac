// The cluster in which all runs of a model begin: what is on the disks, or a leader that everybody follows. The way to the
// latter is walked with the real cores, as every other one.
import { type LocalAction, localCode } from './action.js'
import type { Cluster } from './canonical.js'
import type { ClusterChecks } from './cluster-checks.js'
import type { Environment } from './environment.js'
import { NO_HISTORY } from './history.js'
import { nodeCount } from './model.js'
import type { NodeFacts, Tables } from './tables.js'

/** @throws Error when nobody leads in the end, or an invariant is broken on the way */
export function firstCluster(tables: Tables, environment: Environment, checks: ClusterChecks): Cluster {
  const { start } = environment.model
  const nodes = Array.from({ length: nodeCount(environment.model) }, (_, node) =>
    tables.node(environment.initial(node)),
  )
  const walk = new Walk(tables, checks, { nodes, history: tables.history(NO_HISTORY), packets: [] })
  if (start.type === 'led') {
    walk.act(0, 'electionTimeout')
    walk.act(0, 'heartbeatDue')
    walk.loseAll()
    walk.step(0, localCode('heartbeatDue'))
  }
  if (start.type === 'elected') walk.elect(start.leader, start.voters)
  return walk.cluster
}

/** One run in which nothing is lost: each packet is delivered once, in order, and each write ends at once. */
class Walk {
  cluster: Cluster
  readonly #tables: Tables
  readonly #checks: ClusterChecks

  constructor(tables: Tables, checks: ClusterChecks, cluster: Cluster) {
    this.#tables = tables
    this.#checks = checks
    this.cluster = cluster
  }

  /** One step, and nothing that follows. Returns what is sent. */
  step(node: number, code: number): number[] {
    const transition = this.#tables.transition(this.cluster.nodes[node] as number, code)
    const nodes = this.cluster.nodes.slice()
    nodes[node] = transition.to
    const held = this.cluster.packets
    const packets = [...held, ...transition.sent.filter((packet) => !held.includes(packet))]
    const history = this.#checks.after(
      nodes,
      this.cluster.history,
      { node, transition, isCrash: false, isChange: false, read: 0 },
      packets,
    )
    if (typeof history !== 'number')
      throw new Error(`the start of the model breaks ${history.invariant}: ${history.detail}`)
    this.cluster = { nodes, history, packets }
    return [...transition.sent]
  }

  /** Acts, and then goes on until nothing more follows. */
  act(node: number, action: LocalAction): void {
    let waiting = this.step(node, localCode(action))
    this.#persistAll(waiting)
    for (let packet = waiting.shift(); packet !== undefined; packet = waiting.shift()) {
      waiting = [...waiting, ...this.#deliver(packet)]
      this.#persistAll(waiting)
    }
  }

  /** Votes travel between the leader and the voters, and nothing else does: what it sends as leader is on its way. */
  elect(leader: number, voters: readonly number[]): void {
    const hasSay = (packet: number): boolean => voters.includes(this.#tables.receivers[packet] as number)
    const asked = this.step(leader, localCode('electionTimeout')).filter(hasSay)
    const granted = asked.flatMap((packet) => this.#deliver(packet))
    this.loseAll()
    for (const packet of granted) this.#deliver(packet)
  }

  #deliver(packet: number): number[] {
    return this.step(this.#tables.receivers[packet] as number, this.#tables.deliveryCode(packet, false))
  }

  /** Nothing that was sent arrives any more. */
  loseAll(): void {
    this.cluster = { ...this.cluster, packets: [] }
  }

  #persistAll(waiting: number[]): void {
    const persist = localCode('persist')
    this.cluster.nodes.forEach((_, node) => {
      while (this.#factsOf(node).actions.includes(persist)) waiting.push(...this.step(node, persist))
    })
  }

  #factsOf(node: number): NodeFacts {
    return this.#tables.nodes[this.cluster.nodes[node] as number] as NodeFacts
  }
}
