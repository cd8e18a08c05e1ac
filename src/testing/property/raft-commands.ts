// Commands for `fc.commands` and `fc.asyncModelRun`: what clients do and what goes wrong, beside a model of the user.
import { checkArbitrary, checkFunction, checkKeys, checkObject } from '../option-checks.js'
import type { Arbitrary, AsyncCommand } from 'fast-check'
import type { NodeId } from '../../core/types.js'
import type { StateMachine } from '../../interfaces/state-machine.js'
import type { Fault } from '../fault-plan.js'
import type { SimulatedCluster } from '../simulated-cluster.js'
import { arbFaultKind } from './arb-fault.js'
import { checkFaultTypes, checkNodes, DEFAULT_NODES } from './constraints.js'
import { fastCheckFor } from './fast-check.js'
import { cloneModel, ModelLedger } from './model-ledger.js'
import {
  AdvanceCommand,
  CompareCommand,
  type CommandWorld,
  FaultCommand,
  ProposeCommand,
  ReadCommand,
} from './raft-command.js'

export interface RaftCommandsOptions<Command, Result, Model extends object> {
  command: Arbitrary<Command>
  /** What the state machine does, done to the model: changes it and returns the result. Must not change `command`. */
  apply(model: Model, command: Command): Result
  /** Throws unless the state machine holds what the model says. Changes neither. */
  check(model: Model, actual: StateMachine<Command, Result>): void
  /** @defaultValue crash, restart, partition, heal, pause, link; none for an empty list */
  faults?: readonly Fault['type'][] | undefined
  /** Whom faults, proposals and reads name beside `leader`. @defaultValue n1, n2, n3 */
  nodes?: readonly NodeId[] | undefined
  /** A copy of the model that shares nothing with it. @defaultValue structuredClone, which keeps Maps and Sets, but no private fields */
  clone?: ((model: Model) => Model) | undefined
}

const DEFAULT_FAULTS: readonly Fault['type'][] = ['crash', 'restart', 'partition', 'heal', 'pause', 'link']

/** Longest `advance`, ms of the simulation. */
const LONGEST_ADVANCE_MS = 2_000

/**
 * Arbitraries for `fc.commands`: propose, read, compare, advance, and faults. A result that the model does not give, or a
 * state that `check` refuses, fails the command: after a linearizable read, after `compare`, and at the end of the
 * cluster, when everything was healed and all nodes agree.
 *
 * A command whose outcome is unknown (a timeout, say) may have been applied, may be applied later, or never: every
 * possibility is kept, and what follows must hold for one of them. The model object of the run is the one where none was
 * applied; it is left as it is once that is ruled out.
 *
 * @throws RaftError RAFT_INVALID_OPTION: an option is wrong, or fast-check is not installed
 */
export function raftCommands<Command, Result, Model extends object>(
  options: RaftCommandsOptions<Command, Result, Model>,
): Arbitrary<AsyncCommand<Model, SimulatedCluster<Command, Result>>>[] {
  const fc = fastCheckFor('raftCommands')
  checkObject('the argument of raftCommands', options, 'an object with command, apply, check')
  checkKeys('raftCommands', options, ['command', 'apply', 'check', 'faults', 'nodes', 'clone'])
  checkArbitrary('command', options.command)
  checkFunction('apply', options.apply, '(model, command) => result')
  checkFunction('check', options.check, '(model, stateMachine) => void, which throws')
  const nodes = checkNodes('nodes', options.nodes ?? DEFAULT_NODES)
  const types = checkFaultTypes('faults', options.faults ?? DEFAULT_FAULTS)
  const world = worldOf(options, fc.stringify)
  const on = fc.constantFrom<(NodeId | 'leader')[]>(...nodes, 'leader')
  const propose = fc
    .record({ command: options.command, on })
    .map((what) => new ProposeCommand<Command, Result, Model>(world, what))
  const ms = fc.integer({ min: 1, max: LONGEST_ADVANCE_MS })
  const fault = arbFaultKind(fc, { nodes, types })
  return [
    propose,
    propose,
    on.map((node) => new ReadCommand<Command, Result, Model>(world, { on: node })),
    ms.map((duration) => new AdvanceCommand<Command, Result, Model>(world, { ms: duration })),
    fc.constant(new CompareCommand<Command, Result, Model>(world)),
    ...(fault === null ? [] : [fault.map((kind) => new FaultCommand<Command, Result, Model>(world, { fault: kind }))]),
  ]
}

function worldOf<Command, Result, Model extends object>(
  options: RaftCommandsOptions<Command, Result, Model>,
  print: (value: unknown) => string,
): CommandWorld<Command, Result, Model> {
  const ledgers = new WeakMap<Model, ModelLedger<Command, Result, Model>>()
  const { clone = cloneModel } = options
  const apply = (model: Model, command: Command): Result => options.apply(model, command)
  return {
    print,
    check: (model, actual) => options.check(model, actual),
    ledgerOf: (model) => {
      const known = ledgers.get(model)
      if (known !== undefined) return known
      const ledger = new ModelLedger<Command, Result, Model>(model, { apply, clone, print })
      ledgers.set(model, ledger)
      return ledger
    },
  }
}
