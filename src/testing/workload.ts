// The clients of the simulator's own runs: each makes one call after the other, on any node, sometimes several at once,
// with deadlines, and remembers how far it has seen the log. Every command that it proposes is unlike all others.
import type { NodeId } from '../core/types.js'
import type { Caller, CallerAction } from './caller.js'
import type { ChainMachine, ChainState } from './chain-machine.js'
import type { Cluster } from './cluster.js'
import type { CallRecord } from './history.js'
import { SLOW_READ } from './plan/plan-recorder.js'
import type { SimulationRandom } from './prng.js'

export interface WorkloadSettings {
  readonly clients: number
  /** Pause of a client between two calls, ms. */
  readonly thinkMs: readonly [min: number, max: number]
  readonly timeoutMs: readonly [min: number, max: number]
  /** Most staleness that a local read allows, ms. */
  readonly longestStalenessMs: number
  /** Share of calls that are reads. */
  readonly readRatio: number
  /** Share of the reads that go by lease. @defaultValue 0 */
  readonly leaseRatio?: number | undefined
  /** Most calls that a client begins at once. */
  readonly burst: number
  /** Bytes of a command beyond what makes it unique. */
  readonly paddingBytes: readonly [min: number, max: number]
}

/** Most calls of one run: a bound on the history. */
export const MAX_CALLS = 20_000

type ChainCluster = Cluster<Uint8Array, ChainState, ChainMachine>

export class Workload {
  readonly #cluster: ChainCluster
  readonly #caller: Caller<Uint8Array, ChainState, ChainMachine>
  readonly #settings: WorkloadSettings
  readonly #random: SimulationRandom
  /** The node that each client called last. */
  readonly #nodes = new Map<number, NodeId>()
  #commandCount = 0
  #isEnded = false

  constructor(
    cluster: ChainCluster,
    caller: Caller<Uint8Array, ChainState, ChainMachine>,
    settings: WorkloadSettings,
    random: SimulationRandom,
  ) {
    this.#cluster = cluster
    this.#caller = caller
    this.#settings = settings
    this.#random = random
  }

  begin(): void {
    for (let client = 1; client <= this.#settings.clients; client++) this.#think(client, 0)
  }

  /** No further calls. */
  end(): void {
    this.#isEnded = true
  }

  /** A command that was never proposed before. */
  #nextCommand(): Uint8Array {
    this.#commandCount += 1
    const command = new Uint8Array(4 + this.#random.integer(...this.#settings.paddingBytes))
    new DataView(command.buffer).setUint32(0, this.#commandCount)
    return command
  }

  #think(client: number, seen: number): void {
    this.#cluster.timeline.after(this.#random.between(...this.#settings.thinkMs), () => {
      if (!this.#isEnded && this.#cluster.history.records.length < MAX_CALLS) this.#act(client, seen)
    })
  }

  #act(client: number, seen: number): void {
    const candidates = this.#cluster.processes.filter((process) => process.isUp)
    const process = candidates.length === 0 ? null : this.#choose(client, candidates)
    const calls = process === null ? 0 : this.#random.integer(1, this.#settings.burst)
    let open = calls
    let highest = seen
    for (let call = 0; call < calls && process !== null; call++) {
      const action = this.#action(seen)
      const timeoutMs = this.#random.between(...this.#settings.timeoutMs)
      this.#caller.call({ process, client, action, timeoutMs }, (record) => {
        open -= 1
        highest = Math.max(highest, indexOf(record))
        if (open === 0) this.#think(client, highest)
      })
    }
    // The process may die with the calls or stand still: the client's own clock has it go on elsewhere.
    const [shortest, longest] = this.#settings.timeoutMs
    this.#cluster.timeline.after(this.#random.between(shortest, shortest + longest / 3), () => {
      if (open > 0 || calls === 0) this.#think(client, highest)
      open = -1
    })
  }

  /** Clients like to stay where they are: a node that just woke has some of its own. */
  #choose(client: number, candidates: ChainCluster['processes']): ChainCluster['processes'][number] {
    const held = candidates.find(({ id }) => id === this.#nodes.get(client))
    const process = held !== undefined && this.#random.chance(0.6) ? held : this.#random.pick(candidates)
    this.#nodes.set(client, process.id)
    return process
  }

  #action(seen: number): CallerAction<Uint8Array, ChainMachine> {
    const random = this.#random
    if (!random.chance(this.#settings.readRatio)) {
      const commandCount = random.chance(0.2) ? random.integer(1, 5) : 1
      const commands = Array.from({ length: commandCount }, () => this.#nextCommand())
      return { type: 'propose', commands, asMany: commandCount > 1, input: 'command' }
    }
    const takesAWhile = random.chance(0.1)
    const query = (machine: ChainMachine): ChainState | Promise<ChainState> => {
      return takesAWhile ? machine.stateForAWhile() : machine.state
    }
    const common = { type: 'read', query, input: takesAWhile ? SLOW_READ : 'state' } as const
    const { leaseRatio = 0 } = this.#settings
    if (leaseRatio > 0 && random.chance(leaseRatio)) return { ...common, consistency: 'lease' }
    if (random.chance(0.55)) return { ...common, consistency: 'linearizable' }
    const local = { ...common, consistency: 'local' } as const
    if (random.chance(0.55)) return { ...local, maxStalenessMs: this.#staleness() }
    return { ...local, minIndex: seen }
  }

  /** Mostly short: a leader without a quorum is one for an election timeout only. */
  #staleness(): number {
    const longestMs = Math.ceil(this.#settings.longestStalenessMs / this.#random.pick([2, 8, 40]))
    return this.#random.integer(1, longestMs)
  }
}

function indexOf({ outcome, indexes }: CallRecord): number {
  return outcome === 'ok' ? (indexes.at(-1) ?? 0) : 0
}
