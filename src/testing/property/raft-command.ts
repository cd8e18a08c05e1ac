// The commands that `raftCommands` generates, each printed as the call that it makes. A command finds what is known of the
// model by the model object of its run, so that a run that is repeated begins anew.
import type { AsyncCommand } from 'fast-check'
import type { NodeId } from '../../core/types.js'
import { isRaftError } from '../../errors.js'
import type { FaultKind } from '../fault-plan.js'
import type { LiveNode, SimulatedCluster } from '../simulated-cluster.js'
import type { StateMachine } from '../../interfaces/state-machine.js'
import type { ModelLedger } from './model-ledger.js'

/** Deadline of each proposal and read, ms of the simulation. */
const CALL_TIMEOUT_MS = 3_000

/** How long nodes get to start where none serves, ms of the simulation. */
const START_MS = 100

/** How long a healed cluster gets to elect before it is compared at the end, ms of the simulation. */
const RECOVERY_MS = 5_000

type Real<Command, Result> = SimulatedCluster<Command, Result>

/** What every command of one `raftCommands` shares. */
export interface CommandWorld<Command, Result, Model extends object> {
  readonly ledgerOf: (model: Model) => ModelLedger<Command, Result, Model>
  readonly check: (model: Model, actual: StateMachine<Command, Result>) => void
  readonly print: (value: unknown) => string
}

abstract class RaftCommand<Command, Result, Model extends object>
  implements AsyncCommand<Model, Real<Command, Result>>
{
  protected readonly world: CommandWorld<Command, Result, Model>
  readonly #text: string

  constructor(world: CommandWorld<Command, Result, Model>, text: string) {
    this.world = world
    this.#text = text
  }

  check(_model: Readonly<Model>): boolean {
    return true
  }

  /** Once per run the cluster is told to compare everything before it ends. */
  async run(model: Model, cluster: Real<Command, Result>): Promise<void> {
    const ledger = this.world.ledgerOf(model)
    if (!ENDED_BY.has(cluster)) {
      ENDED_BY.add(cluster)
      cluster.atEnd(async () => {
        if (ledger.hasFailed) return
        await cluster.healAll()
        await cluster.advance(RECOVERY_MS)
        await compareAll(this.world, ledger, cluster)
      })
    }
    await this.carryOut(ledger, cluster)
  }

  protected abstract carryOut(
    ledger: ModelLedger<Command, Result, Model>,
    cluster: Real<Command, Result>,
  ): Promise<void>

  toString(): string {
    return this.#text
  }
}

/** Clusters that compare everything at their end. */
const ENDED_BY = new WeakSet<object>()

export class ProposeCommand<Command, Result, Model extends object> extends RaftCommand<Command, Result, Model> {
  readonly #command: Command
  readonly #on: NodeId | 'leader'

  constructor(
    world: CommandWorld<Command, Result, Model>,
    { command, on }: { command: Command; on: NodeId | 'leader' },
  ) {
    super(world, `propose(${world.print(command)}) on ${on}`)
    this.#command = command
    this.#on = on
  }

  override check(model: Readonly<Model>): boolean {
    return this.world.ledgerOf(model).hasRoom
  }

  protected async carryOut(ledger: ModelLedger<Command, Result, Model>, cluster: Real<Command, Result>): Promise<void> {
    const at = await serving(cluster, this.#on)
    if (at === null) return
    const proposed = cluster.settle(at.node.propose(this.#command, { timeoutMs: CALL_TIMEOUT_MS }))
    const outcome = await proposed.catch((error: unknown) => {
      if (!isRaftError(error)) throw error
      return error
    })
    if (!isRaftError(outcome)) ledger.acknowledged(this.#command, outcome.result)
    else if (outcome.outcome === 'unknown') ledger.unknown(this.#command)
    // The state tells which of several possibilities it was.
    if (ledger.candidateCount > 1) compareCaughtUp(this.world, ledger, cluster)
  }
}

export class ReadCommand<Command, Result, Model extends object> extends RaftCommand<Command, Result, Model> {
  readonly #on: NodeId | 'leader'

  constructor(world: CommandWorld<Command, Result, Model>, { on }: { on: NodeId | 'leader' }) {
    super(world, `read() on ${on}`)
    this.#on = on
  }

  protected async carryOut(ledger: ModelLedger<Command, Result, Model>, cluster: Real<Command, Result>): Promise<void> {
    const at = await serving(cluster, this.#on)
    if (at === null) return
    const look = (): void => {
      ledger.observed(`a linearizable read on ${at.id} was answered`, (model) => {
        this.world.check(model, at.stateMachine)
      })
    }
    try {
      await cluster.settle(at.node.read(look, { timeoutMs: CALL_TIMEOUT_MS }))
    } catch (error) {
      // A read that finds no quorum says nothing about the state.
      if (!isRaftError(error)) throw error
    }
  }
}

/** Compares the state machines of all live nodes once they have applied everything. */
export class CompareCommand<Command, Result, Model extends object> extends RaftCommand<Command, Result, Model> {
  constructor(world: CommandWorld<Command, Result, Model>) {
    super(world, 'compare()')
  }

  protected carryOut(ledger: ModelLedger<Command, Result, Model>, cluster: Real<Command, Result>): Promise<void> {
    return compareAll(this.world, ledger, cluster)
  }
}

export class AdvanceCommand<Command, Result, Model extends object> extends RaftCommand<Command, Result, Model> {
  readonly #ms: number

  constructor(world: CommandWorld<Command, Result, Model>, { ms }: { ms: number }) {
    super(world, `advance(${ms})`)
    this.#ms = ms
  }

  protected carryOut(_ledger: ModelLedger<Command, Result, Model>, cluster: Real<Command, Result>): Promise<void> {
    return cluster.advance(this.#ms)
  }
}

export class FaultCommand<Command, Result, Model extends object> extends RaftCommand<Command, Result, Model> {
  readonly #fault: FaultKind

  constructor(world: CommandWorld<Command, Result, Model>, { fault }: { fault: FaultKind }) {
    super(world, `inject(${world.print(fault)})`)
    this.#fault = fault
  }

  protected carryOut(_ledger: ModelLedger<Command, Result, Model>, cluster: Real<Command, Result>): Promise<void> {
    return cluster.inject(this.#fault)
  }
}

/** The node that is asked for, or the first that serves; null where none does. */
async function serving<Command, Result>(
  cluster: Real<Command, Result>,
  on: NodeId | 'leader',
): Promise<LiveNode<Command, Result, StateMachine<Command, Result>> | null> {
  if (cluster.live.length === 0) await cluster.advance(START_MS)
  const { live, leader } = cluster
  return live.find(({ id, node }) => (on === 'leader' ? node === leader : id === on)) ?? live[0] ?? null
}

async function compareAll<Command, Result, Model extends object>(
  world: CommandWorld<Command, Result, Model>,
  ledger: ModelLedger<Command, Result, Model>,
  cluster: Real<Command, Result>,
): Promise<void> {
  await cluster.settleAll()
  compareCaughtUp(world, ledger, cluster)
}

/** A node that lags holds an earlier state, which is no error. */
function compareCaughtUp<Command, Result, Model extends object>(
  world: CommandWorld<Command, Result, Model>,
  ledger: ModelLedger<Command, Result, Model>,
  cluster: Real<Command, Result>,
): void {
  for (const { id, stateMachine, isCaughtUp } of cluster.live) {
    if (!isCaughtUp) continue
    ledger.observed(`${id} has applied all that is committed`, (model) => world.check(model, stateMachine))
  }
}
