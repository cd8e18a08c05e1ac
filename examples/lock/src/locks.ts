// Locks that end by themselves, replicated. A lock ends by log time, which its holder doesn't see: between two instructions of
// the holder any time may pass, and somebody else may have it. So each grant comes with a fencing token, the index of its
// entry in the log: higher for every later grant of any lock, on every node, after every restart.
import type { ApplyContext, StateMachine } from 'helios-raft'

export type Command =
  | { readonly type: 'acquire'; readonly lock: string; readonly owner: string; readonly ttlMs: number }
  | { readonly type: 'renew'; readonly lock: string; readonly token: number; readonly ttlMs: number }
  | { readonly type: 'release'; readonly lock: string; readonly token: number }

export type Answer =
  | { readonly type: 'held'; readonly token: number; readonly untilMs: number }
  /** Somebody holds it: for no longer than that, unless it is renewed. */
  | { readonly type: 'taken'; readonly owner: string; readonly untilMs: number }
  /** Of a release: done. Of a renewal: the lock is not held under this token, and may be somebody else's. */
  | { readonly type: 'free' | 'lost' | 'full' }

export interface Held {
  readonly owner: string
  readonly token: number
  /** In log time. */
  readonly untilMs: number
}

export const MAX_LOCKS = 1_000

export class Locks implements StateMachine<Command, Answer> {
  #held = new Map<string, Held>()

  get held(): ReadonlyMap<string, Held> {
    return this.#held
  }

  readonly apply = (command: Command, { index, timestamp }: ApplyContext): Answer => {
    for (const [lock, { untilMs }] of this.#held) if (untilMs <= timestamp) this.#held.delete(lock)
    const holder = this.#held.get(command.lock)
    if (command.type === 'acquire') {
      // The same owner too: its call that got no answer is repeated by a session, which gives the first answer again.
      if (holder !== undefined) return { type: 'taken', owner: holder.owner, untilMs: holder.untilMs }
      if (this.#held.size >= MAX_LOCKS) return { type: 'full' }
      return this.#hold(command.lock, { owner: command.owner, token: index, untilMs: timestamp + command.ttlMs })
    }
    if (holder?.token !== command.token) return { type: 'lost' }
    // The token stays: the holder did not lose the lock in between.
    if (command.type === 'renew') return this.#hold(command.lock, { ...holder, untilMs: timestamp + command.ttlMs })
    this.#held.delete(command.lock)
    return { type: 'free' }
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(JSON.stringify([...this.#held]))
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
    this.#held = new Map(JSON.parse(text) as [string, Held][])
  }

  #hold(lock: string, held: Held): Answer {
    this.#held.set(lock, held)
    return { type: 'held', token: held.token, untilMs: held.untilMs }
  }
}
