// One piece of work at a time, in the order of the calls. Its queue is bounded by its users: a log store has at most
// one write, one compaction and the reads that run into them.

/** A queue of work that must not overlap. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve()

  /** Runs `work` when everything before it has settled; settles as it does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => undefined)
    return result
  }
}
