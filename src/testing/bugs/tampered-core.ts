// A core that is tampered with from outside: what comes in and what goes out may be altered, and so may its state. With
// it most seeded bugs need no seam in the library at all.
import type { CoreEvent } from '../../core/event.js'
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

/** Internals that tamper with the core of each life of each node. */
export function tampered(begin: (state: CoreState, options: CoreOptions) => Tampering): Internals {
  return { wrapCore: (core, options) => new TamperedCore(core, begin(core.state, options)) }
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
    this.#deadline = result.deadline
    after?.(result, altered)
    // An Output remembers where its messages stand: no later event may be merged into what was altered.
    result.endsBatch = true
    return result
  }
}
