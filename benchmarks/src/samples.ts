// Latencies of one measurement, in a histogram of fixed size, and what is told of several of them.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

const LONGEST_NS = 600_000_000_000
const DIGITS = 3

/** Operations of one measurement. Latencies in µs. */
export interface Measured {
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
}

export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: LONGEST_NS, figures: DIGITS })

  /** @param beganMs - of `performance.now()` */
  record(beganMs: number): void {
    this.#histogram.record(Math.max(1, Math.round((performance.now() - beganMs) * 1e6)))
  }

  measured(elapsedMs: number): Measured {
    const { count } = this.#histogram
    const us = (percentile: number) => this.#histogram.percentile(percentile) / 1_000
    return { perSecond: (count / elapsedMs) * 1_000, p50Us: us(50), p99Us: us(99) }
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** The median of each figure over the rounds, and how far apart the rounds were. */
export interface Summary extends Measured {
  /** Lowest and highest `perSecond`. */
  readonly spread: readonly [lowest: number, highest: number]
  readonly rounds: readonly Measured[]
}

export function summarize(rounds: readonly Measured[]): Summary {
  const rates = rounds.map(({ perSecond }) => perSecond)
  return {
    perSecond: median(rates),
    p50Us: median(rounds.map(({ p50Us }) => p50Us)),
    p99Us: median(rounds.map(({ p99Us }) => p99Us)),
    spread: [Math.min(...rates), Math.max(...rates)],
    rounds,
  }
}
