// An EventEmitter whose listeners can't hurt it: one that throws, or whose promise rejects, neither reaches the emitter
// nor keeps the event from the listeners behind it (H99, H100, H101).
import { EventEmitter } from 'eventemitter3'

type AnyListener = (...args: never[]) => unknown

/** Emits like eventemitter3, but a listener's error goes to `onListenerError`. */
export abstract class GuardedEmitter<Events extends object> extends EventEmitter<Events> {
  /** One guard per listener, so that `off` finds what `on` added. */
  readonly #guards = new WeakMap<AnyListener, AnyListener>()
  readonly #originals = new WeakMap<AnyListener, AnyListener>()

  /** A listener threw or rejected. Must not throw. */
  protected abstract onListenerError(error: unknown): void

  override on<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
  ): this {
    return super.on(event, this.#guard(listener), context)
  }

  override addListener<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context)
  }

  override once<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
  ): this {
    return super.once(event, this.#guard(listener), context)
  }

  override off<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener?: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.removeListener(event, listener, context, once)
  }

  override removeListener<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener?: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return super.removeListener(event, listener === undefined ? undefined : this.#guard(listener), context, once)
  }

  override listeners<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
  ): EventEmitter.EventListener<Events, Name>[] {
    return super.listeners(event).map((guard) => (this.#originals.get(guard) ?? guard) as typeof guard)
  }

  #guard<Listener extends AnyListener>(listener: Listener): Listener {
    // eventemitter3 calls its own methods; what is a guard already stays one.
    if (this.#originals.has(listener) || typeof listener !== 'function') return listener
    const held = this.#guards.get(listener)
    if (held !== undefined) return held as Listener
    const report = (error: unknown) => this.onListenerError(error)
    const guard = function (this: unknown, ...args: unknown[]): void {
      try {
        const result = listener.apply(this, args as never[])
        if (result instanceof Promise) result.catch(report)
      } catch (error) {
        report(error)
      }
    }
    this.#guards.set(listener, guard)
    this.#originals.set(guard, listener)
    return guard as unknown as Listener
  }
}
