// Locks that end by themselves, replicated: one right state machine, and three that look right.
import type { ApplyContext, StateMachine } from 'helios-raft'

export interface Acquire {
  readonly lock: string
  readonly owner: string
  readonly forMs: number
}

/** A new token for the new holder, or null where somebody else holds the lock. */
export type Token = number | null

interface Held {
  readonly owner: string
  readonly untilMs: number
}

export class Locks implements StateMachine<Acquire, Token> {
  protected held = new Map<string, Held>()
  protected lastToken = 0

  readonly apply = ({ lock, owner, forMs }: Acquire, context: ApplyContext): Token => {
    const nowMs = this.time(context)
    const holder = this.held.get(lock)
    if (holder !== undefined && holder.owner !== owner && holder.untilMs > nowMs) return null
    this.held.set(lock, { owner, untilMs: nowMs + forMs })
    this.lastToken += 1
    return this.lastToken
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return linesOf([this.lastToken, ...this.sorted()])
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const [lastToken, ...held] = (await valuesOf(chunks)) as [number, ...[string, Held][]]
    this.held = new Map(held)
    this.lastToken = lastToken
  }

  /** The only clock that is the same on every node. */
  protected time(context: ApplyContext): number {
    return context.timestamp
  }

  /** A Map keeps the order of insertion, which a restored one doesn't have. */
  protected sorted(): [string, Held][] {
    return [...this.held].sort(([one], [other]) => (one < other ? -1 : 1))
  }
}

/** Asks its own machine for the time, and each machine has another one. */
export class LocksByWallClock extends Locks {
  readonly #wallClock: () => number

  constructor(wallClock: () => number) {
    super()
    this.#wallClock = wallClock
  }

  protected override time(): number {
    return this.#wallClock()
  }
}

/** After a restart from a snapshot, tokens begin again at 1. */
export class LocksWithoutToken extends Locks {
  override snapshot(): AsyncIterable<Uint8Array> {
    return linesOf([0, ...this.sorted()])
  }
}

/** Looks at the locks while the snapshot is pulled, when later commands have changed them. */
export class LocksReadLazily extends Locks {
  override async *snapshot(): AsyncGenerator<Uint8Array> {
    yield* linesOf([this.lastToken])
    for (const held of this.held) yield* linesOf([held])
  }
}

async function* linesOf(values: readonly unknown[]): AsyncGenerator<Uint8Array> {
  for (const value of values) yield new TextEncoder().encode(`${JSON.stringify(value)}\n`)
}

async function valuesOf(chunks: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}
