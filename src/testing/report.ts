// What a simulation of the user's own state machine takes and gives. Everything is data, so that a property test can
// print it, keep it and run it again.
import type { NodeId } from '../core/types.js'
import type { ApplyContext, StateMachine } from '../interfaces/state-machine.js'
import type { Codec } from '../interfaces/codec.js'
import type { ReadConsistency } from '../node/calls.js'
import type { LinearizabilityModel } from './linearizability/model.js'
import type { ClusterShape, FaultPlan } from './fault-plan.js'

/** Any state machine; its types are taken from it by `CommandOf` and `ResultOf`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the contract's own type: unknown would refuse every real one
export type AnyStateMachine = StateMachine<any, any>
/** What the state machine applies. */
export type CommandOf<SM extends AnyStateMachine> = Parameters<SM['apply']>[0]
/** What it answers with. */
export type ResultOf<SM extends AnyStateMachine> = Awaited<ReturnType<SM['apply']>>

/** What a client does. */
export type Action<Command, Query> =
  | { readonly type: 'propose'; readonly command: Command }
  | { readonly type: 'read'; readonly query: Query; readonly consistency?: ReadConsistency }

export interface WorkloadStep<Command, Query = never> {
  /** Ms of the simulation. */
  readonly atMs: number
  readonly client: number
  /** `any`: drawn from the seed among the nodes that run. A step that finds no such node is left out. */
  readonly on: NodeId | 'leader' | 'any'
  readonly action: Action<Command, Query>
}

/** One call of one client, as it began and ended. Times are ms of the simulation. */
export interface Operation<Input, Output> {
  readonly client: number
  readonly input: Input
  readonly invokedMs: number
  /** Infinity when unknown. */
  readonly returnedMs: number
  readonly outcome: 'ok' | 'rejected' | 'unknown'
  /** Present when `ok`. */
  readonly output?: Output
}

export interface SimulationOptions<SM extends AnyStateMachine, Query = never, Answer = never> {
  /** Makes one for each node and each restart. */
  stateMachine: () => SM
  /** Of the commands. @defaultValue msgpackCodec */
  codec?: Codec<CommandOf<NoInfer<SM>>> | undefined
  workload?: readonly WorkloadStep<CommandOf<NoInfer<SM>>, Query>[] | undefined
  /** How a `read` action is answered from a node's state machine. */
  query?: ((stateMachine: NoInfer<SM>, query: Query) => Answer) | undefined
  faults?: FaultPlan | undefined
  /** @defaultValue three voters with the default options of a node */
  cluster?: ClusterShape | undefined
  /** Decides everything else, 0 to 2^64 - 1. The same seed, the same `traceHash`. */
  seed: number | bigint
  /** Checked on each node after each apply: throw to report. */
  invariant?: ((stateMachine: NoInfer<SM>, context: ApplyContext) => void) | undefined
  /** What the history of proposals and linearizable reads must look like; see `checkLinearizability`. */
  model?:
    | LinearizabilityModel<
        // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the state is the model's own affair
        any,
        Action<CommandOf<NoInfer<SM>>, Query>,
        ResultOf<NoInfer<SM>> | Answer
      >
    | undefined
  /**
   * After the faults a random quorum is healed and must answer linearizable reads; then its leader dies, everybody is healed
   * and must do so too. @defaultValue true
   */
  liveness?: boolean | undefined
  /** Most events before the faults end. @defaultValue 1_000_000 */
  maxEvents?: number | undefined
  /**
   * After a failure: leaves faults and steps out as long as the same check fails, for `SimulationFailure.script`, in at most
   * 100 more runs. Off within a property of fast-check, which shrinks by itself. @defaultValue true
   */
  shrink?: boolean | undefined
  /** Ends the simulation: `simulate` rejects with its reason. */
  signal?: AbortSignal | undefined
}

export interface SimulationReport<SM extends AnyStateMachine, Query = never, Answer = never> {
  readonly seed: bigint
  readonly events: number
  readonly simulatedMs: number
  /** The same for the same options and seed, on every machine and version of Node. */
  readonly traceHash: string
  /** How often what happened: faults, messages by type, roles. */
  readonly coverage: Readonly<Record<string, number>>
  readonly history: readonly Operation<Action<CommandOf<SM>, Query>, ResultOf<SM> | Answer>[]
  /** Steps of the workload that are not in `history`: their node was down, or `maxEvents` came first. */
  readonly skippedSteps: number
  /** The state machines that are up at the end, all applied to one index. */
  readonly stateMachines: ReadonlyMap<NodeId, SM>
}

/** Something that must hold did not. */
export class SimulationFailure extends Error {
  /** What, in words. */
  readonly violation: string
  readonly seed: bigint
  /** NDJSON, for `replay`: of a second run of the same seed; its first 100,000 lines where there are more. */
  readonly trace: string
  /** What to call to see it again. */
  readonly command: string
  /** The smallest failing data that was found, as a call of `simulate` to paste; else the same as `command`. */
  readonly script: string

  /**
   * @param failure.command - @defaultValue a call of `simulate`
   * @param failure.isDecided - false when a second run of the same seed ended otherwise
   */
  constructor(failure: {
    violation: string
    seed: bigint
    trace: string
    command?: string | undefined
    script?: string | undefined
    isDecided?: boolean | undefined
    cause?: unknown
  }) {
    const { violation, seed, trace, isDecided = true, cause } = failure
    const { command = `simulate({ …the same options, seed: ${seed}n })` } = failure
    const undecided = isDecided ? '' : '; a second run of this seed ended otherwise: the seed does not decide all of it'
    super(`${violation} (replay: ${command}${undecided})`, cause === undefined ? undefined : { cause })
    this.name = 'SimulationFailure'
    this.violation = violation
    this.seed = seed
    this.trace = trace
    this.command = command
    this.script = failure.script ?? command
  }
}
