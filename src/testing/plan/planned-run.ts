// Carries a plan out in place of nemesis and workload: each fault and each call at its time, whatever became of the others.
import type { Caller, CallerAction } from '../caller.js'
import type { ChainMachine, ChainState } from '../chain-machine.js'
import type { Cluster } from '../cluster.js'
import { SLOW_READ } from './plan-recorder.js'
import type { PlannedCall, PlannedCommand, SimulationPlan } from './plan.js'

type ChainCluster = Cluster<Uint8Array, ChainState, ChainMachine>

/** The faults of a plan. */
export class PlannedFaults {
  readonly #cluster: ChainCluster
  readonly #plan: SimulationPlan
  #isEnded = false

  constructor(cluster: ChainCluster, plan: SimulationPlan) {
    this.#cluster = cluster
    this.#plan = plan
  }

  begin(): void {
    schedule(this.#cluster, this.#plan.faults, ({ atMs: _atMs, ...fault }) => {
      if (!this.#isEnded) this.#cluster.inject(fault)
    })
  }

  end(): void {
    this.#isEnded = true
  }
}

/** The clients of a plan. */
export class PlannedWorkload {
  readonly #cluster: ChainCluster
  readonly #caller: Caller<Uint8Array, ChainState, ChainMachine>
  readonly #plan: SimulationPlan
  #isEnded = false

  constructor(cluster: ChainCluster, caller: Caller<Uint8Array, ChainState, ChainMachine>, plan: SimulationPlan) {
    this.#cluster = cluster
    this.#caller = caller
    this.#plan = plan
  }

  begin(): void {
    schedule(this.#cluster, this.#plan.calls, (call) => this.#make(call))
  }

  end(): void {
    this.#isEnded = true
  }

  #make({ on, client, timeoutMs, action }: PlannedCall): void {
    const process = this.#cluster.process(on)
    if (this.#isEnded || process?.isUp !== true) return
    this.#caller.call({ process, client, timeoutMs, action: callerAction(action) })
  }
}

/** Items of one moment are one event, as they were when they were recorded. */
function schedule<Item extends { readonly atMs: number }>(
  cluster: ChainCluster,
  items: readonly Item[],
  act: (item: Item) => void,
): void {
  const moments = new Map<number, Item[]>()
  for (const item of items) {
    const held = moments.get(item.atMs)
    if (held === undefined) moments.set(item.atMs, [item])
    else held.push(item)
  }
  for (const [atMs, together] of moments) cluster.timeline.schedule(atMs, () => together.forEach(act))
}

function callerAction(action: PlannedCall['action']): CallerAction<Uint8Array, ChainMachine> {
  if (action.type === 'propose') {
    const commands = action.commands.map(bytesOf)
    return { type: 'propose', commands, asMany: commands.length > 1, input: 'command' }
  }
  const { isSlow, consistency, minIndex, maxStalenessMs } = action
  const query = (machine: ChainMachine): ChainState | Promise<ChainState> => {
    return isSlow ? machine.stateForAWhile() : machine.state
  }
  return { type: 'read', query, consistency, minIndex, maxStalenessMs, input: isSlow ? SLOW_READ : 'state' }
}

function bytesOf({ number, sizeBytes }: PlannedCommand): Uint8Array {
  const command = new Uint8Array(sizeBytes)
  new DataView(command.buffer).setUint32(0, number)
  return command
}
