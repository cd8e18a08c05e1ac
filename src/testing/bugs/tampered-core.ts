// A core that is tampered with from outside: what comes in and what goes out may be altered, and so may its state. With
// it most seeded bugs need no seam in the library at all.
import type { CoreEvent, ReceiveEvent } from '../../core/event.js'
import type { Envelope, Message, OutboundMessage } from '../../core/messages.js'
import { Output } from '../../core/output.js'
import type { CoreOptions, CoreState } from '../../core/state.js'
import type { Internals, SteppedCore } from '../../node/internals.js'

/** What is done to one life of a node. */
export interface Tampering {
  /** Before each event: what the core is told instead, or null for nothing. */
  readonly before?: ((event: CoreEvent) => CoreEvent | null) | undefined
  /** After each step, with an Output that holds nothing but what this event caused. */
  readonly after?: ((output: Output, event: CoreEvent) => void) | undefined
}

/** What a tampering works on. */
export interface Victim {
  readonly state: CoreState
  readonly options: CoreOptions
  /** Steps one more event, and adds what it causes to `output`. */
  readonly also: (event: CoreEvent, output: Output) => void
}

/** Internals that tamper with the core of each life of each node. */
export function tampered(begin: (victim: Victim) => Tampering): Internals {
  return {
    wrapCore: (core, options) => {
      const also = (event: CoreEvent, output: Output): void => merge(core.step(event), output)
      return new TamperedCore(core, begin({ state: core.state, options, also }))
    },
  }
}

/** The message of a `receive` event, if it is one of that type. */
export function received<Type extends Message['type']>(
  event: CoreEvent,
  type: Type,
): Extract<Message, { type: Type }> | null {
  if (event.type !== 'receive' || event.message.type !== type) return null
  return event.message as Extract<Message, { type: Type }>
}

/** The same event with another message. */
export function withMessage(event: CoreEvent, message: Message): ReceiveEvent {
  return { ...(event as ReceiveEvent), message }
}

/** What waits for the disk leaves at once. */
export function hurry(output: Output, isHurried: (message: OutboundMessage) => boolean): void {
  const waiting = output.messagesAfterPersist.splice(0)
  for (const envelope of waiting) {
    output[isHurried(envelope.message) ? 'messages' : 'messagesAfterPersist'].push(envelope)
  }
}

/** Each message that leaves becomes what `alter` makes of it; null drops it. */
export function alterMessages(output: Output, alter: (envelope: Envelope) => OutboundMessage | null): void {
  for (const slot of ['messages', 'messagesAfterPersist'] as const) {
    for (const envelope of output[slot].splice(0)) {
      const message = alter(envelope)
      if (message !== null) output[slot].push({ to: envelope.to, message })
    }
  }
}

class TamperedCore implements SteppedCore {
  readonly #core: SteppedCore
  readonly #tampering: Tampering
  #deadline = 0

  constructor(core: SteppedCore, tampering: Tampering) {
    this.#core = core
    this.#tampering = tampering
  }

  get state(): CoreState {
    return this.#core.state
  }

  /** Every event: what is taken out of an Output must not be what an earlier event put in. */
  standsAlone(): boolean {
    return true
  }

  step(event: CoreEvent, output: Output = new Output()): Output {
    const { before, after } = this.#tampering
    const altered = before === undefined ? event : before(event)
    if (altered === null) {
      output.deadline = this.#deadline
      return output
    }
    const result = this.#core.step(altered, output)
    after?.(result, altered)
    this.#deadline = result.deadline
    // An Output remembers where its messages stand: no later event may be merged into what was altered.
    result.endsBatch = true
    return result
  }
}

/** Adds what a further step caused; unlike the library's own batches it may lie behind a change of role. */
function merge(more: Output, output: Output): void {
  if (more.append !== undefined) output.addEntries(more.append.entries, more.append.epoch)
  if (more.hardState !== undefined) output.setHardState(more.hardState)
  if (more.commitIndex !== undefined) output.setCommitIndex(more.commitIndex)
  if (more.compactTo !== undefined) output.setCompactTo(more.compactTo)
  if (more.leader !== undefined) output.leader = more.leader
  for (const field of ['messages', 'messagesAfterPersist'] as const) output[field].push(...more[field])
  output.reads.push(...more.reads)
  output.results.push(...more.results)
  output.roles.push(...more.roles)
  output.transfers.push(...more.transfers)
  output.deadline = more.deadline
}

/** The same event with other fields in its message, where it is one of that type that arrived; else the event itself. */
export function withFields<Type extends Message['type']>(
  event: CoreEvent,
  type: Type,
  fields: Partial<Extract<Message, { type: Type }>>,
): CoreEvent {
  if (event.type !== 'receive' || event.message.type !== type) return event
  return { ...event, message: { ...event.message, ...fields } as Message }
}
