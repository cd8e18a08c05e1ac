// Which seed is run next, so that all hunts end soon on any number of threads and each ends with the same seed whatever
// that number is: a hunt is over when its first violation has no unfinished seed before it.
import type { Check } from '../checks.js'

/** Seeds from `firstSeed` on are run against one bug until one ends with a violation. */
export interface Hunt {
  readonly bug: string
  readonly firstSeed: bigint
}

/** One seed of one hunt. */
export interface HuntTask {
  readonly hunt: number
  /** From 0. */
  readonly attempt: number
}

export interface HuntResult extends Hunt {
  /** How many seeds it took; null when `maxSeeds` found nothing. */
  readonly seeds: number | null
  readonly check: Check | null
  readonly violation: string | null
}

/** What a seed told. */
export interface Finding {
  readonly check: Check | null
  readonly violation: string | null
}

interface Progress {
  next: number
  /** Attempts that are under way or were not begun yet come before it; the hunt needs nothing beyond. */
  end: number
  running: number
  found: Finding | null
  isReported: boolean
}

export class HuntPlan {
  readonly #hunts: readonly Hunt[]
  readonly #progress: readonly Progress[]
  readonly #onResult: (result: HuntResult) => void
  /** Which hunt each thread is at: it stays with it as long as there is something to do. */
  readonly #threads = new Map<number, number>()

  constructor(hunts: readonly Hunt[], maxSeeds: number, onResult: (result: HuntResult) => void) {
    this.#hunts = hunts
    this.#progress = hunts.map(() => ({ next: 0, end: maxSeeds, running: 0, found: null, isReported: false }))
    this.#onResult = onResult
  }

  /** The next task of a thread; null when nothing is left to begin. */
  take(thread: number): HuntTask | null {
    const hunt = this.#pick(this.#threads.get(thread))
    const progress = hunt === null ? undefined : this.#progress[hunt]
    if (hunt === null || progress === undefined) return null
    this.#threads.set(thread, hunt)
    progress.running += 1
    progress.next += 1
    return { hunt, attempt: progress.next - 1 }
  }

  done({ hunt, attempt }: HuntTask, { violation, check }: Finding): void {
    const progress = this.#progress[hunt]
    if (progress === undefined) return
    progress.running -= 1
    if (violation !== null && attempt < progress.end) {
      progress.found = { violation, check }
      progress.end = attempt
    }
    if (progress.running > 0 || progress.next < progress.end || progress.isReported) return
    progress.isReported = true
    this.#onResult(this.#resultOf(hunt, progress))
  }

  seedOf({ hunt, attempt }: HuntTask): bigint {
    return (this.#hunts[hunt]?.firstSeed ?? 0n) + BigInt(attempt)
  }

  bugOf({ hunt }: HuntTask): string {
    return this.#hunts[hunt]?.bug ?? ''
  }

  /** The same hunt again, else one that nobody began, else one where a second thread can help. */
  #pick(current: number | undefined): number | null {
    const isOpen = ({ next, end }: Progress): boolean => next < end
    if (current !== undefined && this.#progress[current] !== undefined && isOpen(this.#progress[current]))
      return current
    const fresh = this.#progress.findIndex((progress) => progress.next === 0 && isOpen(progress))
    if (fresh !== -1) return fresh
    const open = this.#progress.findIndex(isOpen)
    return open === -1 ? null : open
  }

  #resultOf(hunt: number, { end, found }: Progress): HuntResult {
    const { bug, firstSeed } = this.#hunts[hunt] as Hunt
    if (found === null) return { bug, firstSeed, seeds: null, check: null, violation: null }
    return { bug, firstSeed, seeds: end + 1, ...found }
  }
}
