// What is under way in a memory network, delivered in a later turn and in batches: everything that is due goes in one
// macrotask, so that a message costs no timer. Control first, because it never waits behind bulk (H94); within a lane
// from one node to another nothing overtakes. Nothing is ever delivered within the call that sends it (H99).

/** Something that arrives. */
export interface Parcel {
  /** On the clock of `performance.now()`; 0: as soon as possible. */
  readonly dueAtMs: number
  readonly deliver: () => void
}

/** A macrotask as soon as possible: a timer of 0 ms takes 1 to 4 ms where setImmediate takes none. */
const soon: (run: () => void) => void =
  typeof setImmediate === 'function' ? (run) => void setImmediate(run) : (run) => void setTimeout(run, 0)

export class Mailbox {
  #immediate: { control: Parcel[]; bulk: Parcel[] } = { control: [], bulk: [] }
  #isScheduled = false
  /** By due time; what is due at the same time keeps its order. */
  readonly #delayed: Parcel[] = []
  #timer: ReturnType<typeof setTimeout> | null = null
  #timerAtMs = 0

  post(lane: 'control' | 'bulk', parcel: Parcel): void {
    if (parcel.dueAtMs > 0) return this.#delay(parcel)
    this.#immediate[lane].push(parcel)
    if (this.#isScheduled) return
    this.#isScheduled = true
    soon(() => this.#deliverImmediate())
  }

  #deliverImmediate(): void {
    const { control, bulk } = this.#immediate
    this.#immediate = { control: [], bulk: [] }
    this.#isScheduled = false
    for (const parcel of control) parcel.deliver()
    for (const parcel of bulk) parcel.deliver()
  }

  #delay(parcel: Parcel): void {
    // Most parcels are due last: look for the place from the end.
    let place = this.#delayed.length
    while (place > 0 && (this.#delayed[place - 1]?.dueAtMs ?? 0) > parcel.dueAtMs) place -= 1
    this.#delayed.splice(place, 0, parcel)
    if (place === 0) this.#setTimer(parcel.dueAtMs)
  }

  #setTimer(atMs: number): void {
    if (this.#timer !== null && this.#timerAtMs <= atMs) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(() => this.#deliverDue(), Math.max(0, Math.ceil(atMs - performance.now())))
  }

  #deliverDue(): void {
    this.#timer = null
    const now = performance.now()
    const later = this.#delayed.findIndex(({ dueAtMs }) => dueAtMs > now)
    const due = this.#delayed.splice(0, later === -1 ? this.#delayed.length : later)
    const [next] = this.#delayed
    if (next !== undefined) this.#setTimer(next.dueAtMs)
    for (const parcel of due) parcel.deliver()
  }
}
