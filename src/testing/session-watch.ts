// Watches what answers do to a leader's view of a peer: one that belongs to another replication session, from before the
// peer was removed and added again, changes nothing (F12). What it would change is true by chance as long as disks keep what
// was on them, so no other check would see it.
import type { CoreEvent, CoreState, LogIndex, NodeId } from '../core/index.js'

interface Known {
  readonly addedAt: LogIndex
  readonly matchIndex: LogIndex
  readonly contactAt: number | null
  readonly confirmedRound: number
}

/** Of one incarnation. */
export class SessionWatch {
  readonly #known = new Map<NodeId, Known>()

  /** After each step of the core; what it did wrong, in words, or null. */
  observe({ role, progress }: CoreState, event: CoreEvent | null): string | null {
    if (role !== 'leader') {
      this.#known.clear()
      return null
    }
    const problem =
      event?.type === 'receive' ? this.#problemOf(event.from, event.message, progress.get(event.from)) : null
    this.#known.clear()
    for (const [id, { addedAt, matchIndex, contactAt, confirmedRound }] of progress)
      this.#known.set(id, { addedAt, matchIndex, contactAt, confirmedRound })
    return problem
  }

  #problemOf(from: NodeId, message: { readonly type: string }, now: Known | undefined): string | null {
    const before = this.#known.get(from)
    if (before === undefined || now?.addedAt !== before.addedAt) return null
    if (!('addedAt' in message) || message.addedAt === before.addedAt) return null
    const isSame =
      now.matchIndex === before.matchIndex &&
      now.contactAt === before.contactAt &&
      now.confirmedRound === before.confirmedRound
    if (isSame) return null
    const sessions = `session ${String(message.addedAt)}, and ${from} is in session ${before.addedAt}`
    return `a ${message.type} of ${sessions} counted (F12)`
  }
}
