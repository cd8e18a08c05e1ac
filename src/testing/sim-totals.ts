// What many runs add up to: figures, which seed hit which bucket first, and whether the runs hit everything that they are
// there for.
import { CORPUS_HEADER, formatCorpus } from './corpus.js'
import { requiredBuckets } from './required-coverage.js'
import type { SeedResult } from './run-seed.js'
import type { Profile } from './swarm.js'

/** From so many seeds on a run must hit every required bucket. */
export const SEEDS_FOR_COVERAGE = 1_000

const MS_PER_HOUR = 3_600_000

export class SimTotals {
  seeds = 0
  violations = 0
  readonly #profile: Profile
  #events = 0
  #simulatedMs = 0
  #faults = 0
  /** Seed → the buckets that no earlier seed hit. */
  readonly #firstHits = new Map<bigint, string[]>()
  readonly #hit = new Set<string>()
  #traces = 0

  constructor(profile: Profile) {
    this.#profile = profile
  }

  add({ seed, events, simulatedMs, faults, violation, coverage, traceHash }: SeedResult): void {
    for (let at = 0; at < traceHash.length; at++)
      this.#traces = Math.imul(this.#traces ^ traceHash.charCodeAt(at), 0x01000193)
    this.seeds += 1
    this.#events += events
    this.#simulatedMs += simulatedMs
    this.#faults += faults
    if (violation !== null) this.violations += 1
    const news = Object.keys(coverage).filter((bucket) => !this.#hit.has(bucket))
    if (news.length === 0) return
    this.#firstHits.set(seed, news)
    for (const bucket of news) this.#hit.add(bucket)
  }

  /** Required buckets that no run hit, when there were enough runs to ask for them. */
  get missing(): readonly string[] {
    if (this.seeds < SEEDS_FOR_COVERAGE) return []
    return requiredBuckets(this.#profile).filter((bucket) => !this.#hit.has(bucket))
  }

  get coverageLine(): string {
    const required = requiredBuckets(this.#profile)
    const hit = required.filter((bucket) => this.#hit.has(bucket)).length
    return `coverage: ${this.#hit.size} buckets, ${hit} of ${required.length} required ones`
  }

  /** One hash over those of all runs: the same for the same seeds, on every machine and version of Node. */
  get tracesLine(): string {
    return `traces: ${(this.#traces >>> 0).toString(16).padStart(8, '0')} over ${this.seeds} seeds`
  }

  /** Per second of the machine, and per hour of one of its threads. */
  speedLine({ elapsedMs, threads }: { readonly elapsedMs: number; readonly threads: number }): string {
    const perSecond = Math.round(this.#events / (elapsedMs / 1_000))
    const hoursPerHour = Math.round(this.#simulatedMs / elapsedMs / threads)
    const seconds = Math.round(elapsedMs / 1_000)
    return `speed: ${perSecond} events/s in ${seconds} s, ${hoursPerHour} simulated hours an hour and thread (${threads} of them)`
  }

  line(profile: string): string {
    const hours = (this.#simulatedMs / MS_PER_HOUR).toFixed(2)
    return (
      `profile=${profile} seeds=${this.seeds} events=${this.#events} simulatedHours=${hours} ` +
      `faults=${this.#faults} violations=${this.violations}`
    )
  }

  /** The seeds that hit something first, as a file. */
  get corpus(): string {
    return `${CORPUS_HEADER}${formatCorpus(this.#firstHits)}`
  }
}
