// Writes down what a random run does, as a plan: every fault that is injected and every call of a client, with its time.
import type { NodeId } from '../../core/types.js'
import type { MadeCall } from '../caller.js'
import type { ChainMachine, ChainState } from '../chain-machine.js'
import type { Cluster } from '../cluster.js'
import type { Fault } from '../fault-plan.js'
import type { SwarmSettings } from '../swarm.js'
import type { PlannedCall, SimulationPlan } from './plan.js'

type ChainCluster = Cluster<Uint8Array, ChainState, ChainMachine>

/** Name of the input of a read whose query takes its time. */
export const SLOW_READ = 'state for a while'

/** One run. */
export class PlanRecorder {
  readonly #faults: Fault[] = []
  readonly #calls: PlannedCall[] = []
  #begun: { readonly seed: bigint; readonly settings: SwarmSettings; readonly cluster: ChainCluster } | null = null
  #endMs: number | null = null

  /** Records from now on. */
  begin(run: { readonly seed: bigint; readonly settings: SwarmSettings; readonly cluster: ChainCluster }): void {
    this.#begun = run
    const { cluster } = run
    cluster.onInject = (fault) => {
      if (this.#endMs === null) this.#faults.push({ ...fault, atMs: cluster.nowMs })
    }
  }

  /** A call of the workload is made. */
  call(on: NodeId, { client, action, timeoutMs }: MadeCall<Uint8Array>): void {
    if (this.#begun === null || this.#endMs !== null) return
    this.#calls.push({ atMs: this.#begun.cluster.nowMs, client, on, timeoutMs, action: planned(action) })
  }

  /** The part with faults is over. */
  end(): void {
    this.#endMs = this.#begun?.cluster.nowMs ?? null
  }

  /** What was done so far; null when the run never began. */
  get plan(): SimulationPlan | null {
    if (this.#begun === null) return null
    const { seed, cluster, settings } = this.#begun
    const { bias: _bias, nemesis: _nemesis, workload: _workload, ...drawn } = settings
    const kept = { ...drawn, durationMs: Math.min(drawn.durationMs, this.#endMs ?? cluster.nowMs), maxEvents: 100_000 }
    return { seed, settings: kept, faults: this.#faults.slice(), calls: this.#calls.slice() }
  }
}

function planned(action: MadeCall<Uint8Array>['action']): PlannedCall['action'] {
  if (action.type === 'propose') {
    const commands = action.commands.map((command) => {
      const number = new DataView(command.buffer, command.byteOffset).getUint32(0)
      return { number, sizeBytes: command.length }
    })
    return { type: 'propose', commands }
  }
  const { consistency, minIndex, maxStalenessMs, input } = action
  return { type: 'read', consistency, minIndex, maxStalenessMs, isSlow: input === SLOW_READ }
}
