// Makes a failing plan small (assurance §1, shrink): leaves faults, calls, nodes and whole settings out as long as the same
// check still fails, in a bounded number of runs. What is left out moves what the network draws, so a step that loses the
// failure is tried with a few other seeds too.
import type { Check } from '../checks.js'
import { CALM_DISK } from '../virtual-disk.js'
import type { Fault } from '../fault-plan.js'
import { leaveOut } from './leave-out.js'
import { PLAN_DEFAULTS, type PlannedCall, type SimulationPlan } from './plan.js'

/** How one run of a plan ended. */
export interface PlanOutcome {
  readonly check: Check | null
  /** When it ended. */
  readonly simulatedMs: number
}

export interface ShrinkOptions {
  /** The check that must go on failing. */
  readonly check: Check
  readonly run: (plan: SimulationPlan) => Promise<PlanOutcome>
  /** Most runs. */
  readonly maxRuns: number
  /** After each step that made the plan smaller. */
  readonly onProgress?: ((plan: SimulationPlan, runs: number) => void) | undefined
}

export interface Shrunk {
  readonly plan: SimulationPlan
  readonly runs: number
}

/** Seeds that a step is tried with beside the one of the plan. */
const OTHER_SEEDS = 2

/** Resolves with null when the plan itself does not fail that check. */
export async function shrinkPlan(plan: SimulationPlan, options: ShrinkOptions): Promise<Shrunk | null> {
  const shrinker = new Shrinker(plan, options)
  if (!(await shrinker.fails(plan))) return null
  await shrinker.shrink()
  return { plan: shrinker.plan, runs: shrinker.runs }
}

class Shrinker {
  plan: SimulationPlan
  runs = 0
  readonly #options: ShrinkOptions

  constructor(plan: SimulationPlan, options: ShrinkOptions) {
    this.plan = plan
    this.#options = options
  }

  /** Coarse steps on everything first: they cost few runs and make all later ones shorter. */
  async shrink(): Promise<void> {
    for (let before = -1, divisor = 2; this.#hasRuns && sizeOf(this.plan) !== before; divisor *= 2) {
      const isFinest = divisor >= 2 * Math.max(this.plan.faults.length, this.plan.calls.length)
      if (isFinest) before = sizeOf(this.plan)
      // A failure earlier than before cuts the plan's end off too.
      const { faults, calls } = this.plan
      await leaveOut({ items: faults, divisor, failsWith: (kept) => this.#try({ ...this.plan, faults: kept }) })
      await leaveOut({ items: calls, divisor, failsWith: (kept) => this.#try({ ...this.plan, calls: kept }) })
      if (divisor <= 4 || isFinest) await this.#simplify()
    }
    await this.#try(rounded(this.plan))
  }

  /** Whether the plan fails, with its seed; then it is taken over. */
  async fails(plan: SimulationPlan): Promise<boolean> {
    if (!this.#hasRuns) return false
    this.runs += 1
    const { check, simulatedMs } = await this.#options.run(plan)
    if (check !== this.#options.check) return false
    this.plan = endingAt(plan, simulatedMs)
    this.#options.onProgress?.(this.plan, this.runs)
    return true
  }

  get #hasRuns(): boolean {
    return this.runs < this.#options.maxRuns
  }

  async #try(plan: SimulationPlan): Promise<boolean> {
    for (let other = 0; other <= OTHER_SEEDS; other++) {
      if (await this.fails({ ...plan, seed: plan.seed + BigInt(other) })) return true
    }
    return false
  }

  async #simplify(): Promise<void> {
    while (nodeCount(this.plan) > 1 && (await this.#try(withoutLastNode(this.plan)))) continue
    const { links: calm } = PLAN_DEFAULTS
    const { settings } = this.plan
    if (settings.disk !== CALM_DISK) await this.#try({ ...this.plan, settings: { ...settings, disk: CALM_DISK } })
    for (const name of Object.keys(calm) as (keyof typeof calm)[]) {
      const { links } = this.plan.settings
      if (links[name] === calm[name]) continue
      const calmer = { ...this.plan.settings, links: { ...links, [name]: calm[name] } }
      await this.#try({ ...this.plan, settings: calmer })
    }
  }
}

/** Faults and calls, what a script is long by. */
export function sizeOf({ faults, calls }: SimulationPlan): number {
  return faults.length + calls.length
}

/** Nothing that comes behind the failure can have had a part in it. */
function endingAt(plan: SimulationPlan, endMs: number): SimulationPlan {
  const { settings, faults, calls } = plan
  if (endMs >= settings.durationMs) return plan
  const isBefore = ({ atMs }: { readonly atMs: number }): boolean => atMs <= endMs
  return {
    ...plan,
    settings: { ...settings, durationMs: Math.ceil(endMs) },
    faults: faults.filter(isBefore),
    calls: calls.filter(isBefore),
  }
}

function nodeCount({ settings }: SimulationPlan): number {
  return settings.shape.voters + (settings.shape.learners ?? 0)
}

/** Learners come behind the voters. */
function withoutLastNode(plan: SimulationPlan): SimulationPlan {
  const { shape } = plan.settings
  const { voters, learners = 0 } = shape
  const gone = `n${nodeCount(plan)}`
  const smaller = learners > 0 ? { ...shape, learners: learners - 1 } : { ...shape, voters: voters - 1 }
  const names = (fault: Fault): boolean => {
    return Object.entries(fault).some(([name, value]) => name !== 'groups' && [value].flat().includes(gone))
  }
  const without = (fault: Fault): Fault => {
    if (fault.type !== 'partition') return fault
    return { ...fault, groups: fault.groups.map((group) => group.filter((id) => id !== gone)) }
  }
  return {
    ...plan,
    settings: { ...plan.settings, shape: smaller },
    faults: plan.faults.filter((fault) => !names(fault)).map(without),
    calls: plan.calls.filter(({ on }) => on !== gone),
  }
}

/** Times in whole ms, to be read; in the order that they had. */
function rounded(plan: SimulationPlan): SimulationPlan {
  const round = <Item extends { readonly atMs: number }>(item: Item): Item => ({ ...item, atMs: Math.round(item.atMs) })
  const calls = plan.calls.map((call): PlannedCall => ({ ...round(call), timeoutMs: Math.ceil(call.timeoutMs) }))
  return { ...plan, faults: plan.faults.map(round), calls }
}
