// Holds every configuration of a simulated cluster against §6, with its own arithmetic of majorities: which may follow
// which, and when; by which one a node counts; and whom a leader needs. What the library works out is compared, never used.
import type { CoreState } from '../core/state.js'
import type { Configuration, LogIndex, NodeId, Term } from '../core/types.js'
import type { HeldConfiguration } from './committed-log.js'
import type { Invariants } from './invariants.js'

/** Of one simulation. */
export class ConfigurationJudge {
  /** Who founded the cluster; null before that. */
  #founder: NodeId | null = null
  readonly #invariants: Invariants
  #version = 0

  constructor(invariants: Invariants) {
    this.#invariants = invariants
  }

  /** Rises with each change of what some node holds in force: what was worked out before is then to be worked out anew. */
  get version(): number {
    return this.#version + this.#invariants.committed.configurations.length
  }

  /** What was in force at `index` of the committed log. */
  committedAt(index: LogIndex): HeldConfiguration | null {
    return this.#invariants.committed.configurationAt(index) ?? null
  }

  /** The newest one that is committed. */
  get newest(): HeldConfiguration | null {
    return this.committedAt(this.#invariants.committed.lastIndex)
  }

  /** A log got `held` behind `before`; a leader of `term` made it. Called when what the same step committed is known. */
  appended(
    id: NodeId,
    held: HeldConfiguration,
    { before, term }: { before: HeldConfiguration | null; term: Term },
  ): void {
    const { committed } = this.#invariants
    if (before === null) return this.#foundedBy(id, held, term)
    const at = `${id}: the configuration at ${held.index}`
    const problem = stepProblem(before.configuration, held.configuration)
    if (problem !== null) return this.#fail(`${at} ${problem} (§6)`)
    if (committed.configurationAt(before.index)?.index !== before.index)
      return this.#fail(`${at} was appended before the one at ${before.index} was committed (H40, H42)`)
    if ((committed.at(committed.lastIndex)?.entry.term ?? 0) < term)
      this.#fail(`${at} was appended before an entry of its term ${term} was committed (H39)`)
  }

  /** The first of a log: one node makes it, alone in it, and makes it again only where it was lost before anybody had it (F25). */
  #foundedBy(id: NodeId, { index, configuration }: HeldConfiguration, term: Term): void {
    const { committed } = this.#invariants
    const at = `${id}: a log begins at ${index} in term ${term}`
    const first = committed.at(1)?.entry
    if (first !== undefined && first.term !== term)
      return this.#fail(`${at}, the committed one in term ${first.term} (F25)`)
    const voters = describe(configuration)
    if (index !== 1 || (this.#founder ?? voters) !== voters || voters.includes(','))
      return this.#fail(`${at} with the voters ${voters}, founded by ${this.#founder ?? 'nobody'} (F25)`)
    this.#founder = voters
  }

  /** After each step of a core: it counts by the newest configuration in its log, whatever is committed (H43). */
  inForce(id: NodeId, { log, quorum }: CoreState, due: HeldConfiguration | null): void {
    const held = log.configurations.at(-1)
    if (held?.index !== due?.index) {
      const problem = `it holds the configuration of ${held?.index ?? 'nowhere'} in force, the newest is that of ${due?.index ?? 'nowhere'}`
      return this.#invariants.fail('configuration-in-force', `${id}: ${problem} (H43)`)
    }
    if (due === null) return
    const [incoming, outgoing] = halvesOf(due.configuration)
    if (isSame(quorum.incoming, incoming) && isSame(quorum.outgoing, outgoing)) return
    const counted = [quorum.incoming, quorum.outgoing].map((half) => half.join(',')).join(' and ')
    const problem = `it counts ${counted}, the configuration of ${due.index} has ${describe(due.configuration)}`
    this.#invariants.fail('configuration-in-force', `${id}: ${problem} (H41)`)
  }

  /** The configuration in force in some log is another one now. */
  changed(): void {
    this.#version += 1
  }

  #fail(problem: string): void {
    this.#invariants.fail('legal-configuration', problem)
  }
}

/** Whether those that `has` is true of are a majority of each half. */
export function isQuorumOf(configuration: Configuration, has: (id: NodeId) => boolean): boolean {
  const [incoming, outgoing] = halvesOf(configuration)
  const isMajority = (half: readonly NodeId[]): boolean => half.filter(has).length * 2 > half.length
  return isMajority(incoming) && (outgoing.length === 0 || isMajority(outgoing))
}

/** The voters, both halves of a joint configuration: `n1,n2 and n2,n3`. */
export function describe(configuration: Configuration): string {
  return halvesOf(configuration)
    .filter((half) => half.length > 0)
    .map((half) => half.join(','))
    .join(' and ')
}

type Halves = readonly [incoming: readonly NodeId[], outgoing: readonly NodeId[]]

function halvesOf({ members, votersOutgoing }: Configuration): Halves {
  const incoming = members.filter(({ suffrage }) => suffrage === 'voter').map(({ id }) => id)
  return [incoming, votersOutgoing.map(({ id }) => id)]
}

/** Why `next` may not follow `previous`; null when it may. */
function stepProblem(previous: Configuration, next: Configuration): string | null {
  const [before, after] = [halvesOf(previous), halvesOf(next)]
  if (after[0].length === 0) return 'has no voter'
  const ids = next.members.map(({ id }) => id)
  if (new Set(ids).size < ids.length) return `names a member twice: ${ids.join(',')}`
  const step = `goes from ${describe(previous)} to ${describe(next)}`
  if (before[1].length > 0) {
    const isLeft =
      after[1].length === 0 &&
      isSame(
        ids,
        previous.members.map(({ id }) => id),
      ) &&
      isSame(before[0], after[0])
    return isLeft ? null : `${step}, and does not leave the joint one`
  }
  if (after[1].length > 0)
    return isSame(before[0], after[1]) ? null : `${step}, which does not begin at the voters there are`
  const differing = [
    ...before[0].filter((id) => !after[0].includes(id)),
    ...after[0].filter((id) => !before[0].includes(id)),
  ]
  return differing.length <= 1 ? null : `${step} in one step`
}

function isSame(one: readonly NodeId[], other: readonly NodeId[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id))
}
