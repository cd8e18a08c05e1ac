// What a transport refused or dropped, in numbers for a program and in lines for a person. A line of a kind comes at
// most every ten seconds, because a stranger decides how often there is something to say.

/** Since the transport was made. */
export interface TcpCounters {
  /** Connections closed for a frame that was damaged, too long or no message. */
  readonly rejectedFrames: number
  /** Connections closed because the hello was wrong, or of another node than the one dialled. */
  readonly rejectedHellos: number
  /** Connections closed because no hello came within 5 s. */
  readonly lateHellos: number
  /** Connections closed because too many had not said who they are, or too many were open. */
  readonly rejectedConnections: number
  /** Times that a peer refused our hello. */
  readonly refusedByPeers: number
  /** Connections closed because the other end fell silent. */
  readonly silentPeers: number
  /** Attempts to connect that failed. */
  readonly failedDials: number
  /** Messages that were not sent because too much was waiting, the dial failed or nobody knew where to. */
  readonly droppedMessages: number
  /** Messages that were not sent because they are longer than a frame or can't be encoded. */
  readonly unsendableMessages: number
}

type Counter = keyof TcpCounters

/** ms between two lines of one kind. */
const WARNING_INTERVAL_MS = 10_000

/** Counts, and warns of what somebody should look into. */
export class Ledger {
  readonly #onWarning: ((warning: string) => void) | null
  readonly #counts: Record<Counter, number> = {
    rejectedFrames: 0,
    rejectedHellos: 0,
    lateHellos: 0,
    rejectedConnections: 0,
    refusedByPeers: 0,
    silentPeers: 0,
    failedDials: 0,
    droppedMessages: 0,
    unsendableMessages: 0,
  }
  readonly #warned = new Map<Counter, { readonly atMs: number; readonly count: number }>()

  constructor(onWarning: ((warning: string) => void) | null) {
    this.#onWarning = onWarning
  }

  get counters(): TcpCounters {
    return { ...this.#counts }
  }

  /** Counts; with a `warning`, says it unless one of this kind was said just before. */
  note(counter: Counter, warning?: string): void {
    this.#counts[counter] += 1
    if (warning === undefined || this.#onWarning === null) return
    const last = this.#warned.get(counter)
    const now = performance.now()
    if (last !== undefined && now - last.atMs < WARNING_INTERVAL_MS) return
    const count = this.#counts[counter]
    const unsaid = count - (last?.count ?? 0) - 1
    this.#warned.set(counter, { atMs: now, count })
    this.#onWarning(unsaid > 0 ? `${warning} (and ${unsaid} more like it)` : warning)
  }
}
