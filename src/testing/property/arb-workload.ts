// What clients do, and when. Shrinks towards no steps, early ones, one client.
import { checkArbitrary, checkKeys, checkObject } from '../option-checks.js'
import type { Arbitrary } from 'fast-check'
import type { Action, WorkloadStep } from '../report.js'
import { checkWhole, DEFAULT_DURATION_MS } from './constraints.js'
import { fastCheckFor, type FastCheck } from './fast-check.js'

export interface WorkloadConstraints<Command, Query = never> {
  command: Arbitrary<Command>
  /** Without it nobody reads. `simulate` then needs an option `query` that answers. */
  query?: Arbitrary<Query> | undefined
  /** @defaultValue 3 */
  clients?: number | undefined
  /** @defaultValue 30 */
  maxSteps?: number | undefined
  /** No step happens later, ms. @defaultValue 5_000 */
  durationMs?: number | undefined
}

/** What `arbWorkload` assumes. */
const DEFAULTS = Object.freeze({ clients: 3, maxSteps: 30 })

/**
 * Workloads for `simulate`: proposals and reads, in the order of their times, on any node or on the leader.
 *
 * @throws RaftError RAFT_INVALID_OPTION: a constraint is wrong, or fast-check is not installed
 */
export function arbWorkload<Command, Query = never>(
  options: WorkloadConstraints<Command, Query>,
): Arbitrary<readonly WorkloadStep<Command, Query>[]> {
  const fc = fastCheckFor('arbWorkload')
  checkObject('the argument of arbWorkload', options, 'an object, { command: fc.… }')
  checkKeys('arbWorkload', options, ['command', 'query', 'clients', 'maxSteps', 'durationMs'])
  checkArbitrary('command', options.command)
  if (options.query !== undefined) checkArbitrary('query', options.query)
  const clients = checkWhole('clients', options.clients ?? DEFAULTS.clients, { min: 1 })
  const maxSteps = checkWhole('maxSteps', options.maxSteps ?? DEFAULTS.maxSteps, { min: 0 })
  const durationMs = checkWhole('durationMs', options.durationMs ?? DEFAULT_DURATION_MS, { min: 0 })
  const step = fc.record(
    {
      atMs: fc.integer({ min: 0, max: durationMs }),
      client: fc.nat(clients - 1),
      // `any` first: it also finds a node before there is a leader, so a step may move to the beginning.
      on: fc.constantFrom<('any' | 'leader')[]>('any', 'leader'),
      action: arbAction(fc, options),
    },
    { noNullPrototype: true },
  )
  return fc.array(step, { maxLength: maxSteps }).map((steps) => steps.sort((a, b) => a.atMs - b.atMs))
}

function arbAction<Command, Query>(
  fc: FastCheck,
  { command, query }: WorkloadConstraints<Command, Query>,
): Arbitrary<Action<Command, Query>> {
  const propose = command.map((value): Action<Command, Query> => ({ type: 'propose', command: value }))
  if (query === undefined) return propose
  const read = fc
    .tuple(query, fc.constantFrom('linearizable' as const, 'local' as const))
    .map(([value, consistency]): Action<Command, Query> => ({ type: 'read', query: value, consistency }))
  return fc.oneof({ weight: 2, arbitrary: propose }, { weight: 1, arbitrary: read })
}
