// Watches a seeded bug at work: says when a replacement first decided otherwise than the library would have, or when a
// tampered core first differed from the one inside.
import { isDeepStrictEqual } from 'node:util'
import type { CoreEvent } from '../../../../src/core/event.js'
import type { Output } from '../../../../src/core/output.js'
import { RULES, type Rules } from '../../../../src/core/rules.js'
import type { CoreOptions, CoreState } from '../../../../src/core/state.js'
import type { Internals, SteppedCore, WriterPosition } from '../../../../src/node/internals.js'

/** How often the bug made a difference; once it did, a tampered core is not compared any more. */
export class Reached {
  count = 0
}

export function watched(internals: Internals, reached: Reached): Internals {
  const { rules, answersWait, wrapCore } = internals
  return {
    ...internals,
    rules: rules && watchedRules(rules, reached),
    answersWait: answersWait && watchedAnswers(answersWait, reached),
    wrapCore: wrapCore && watchedCores(wrapCore, reached),
  }
}

function watchedRules(rules: Partial<Rules>, reached: Reached): Partial<Rules> {
  const entries = Object.entries(rules).map(([name, rule]) => {
    const right = RULES[name as keyof Rules] as (...args: unknown[]) => unknown
    const watch = (...args: unknown[]): unknown => {
      const decision = (rule as (...args: unknown[]) => unknown)(...args)
      if (decision !== right(...args)) reached.count += 1
      return decision
    }
    return [name, watch]
  })
  return Object.fromEntries(entries) as Partial<Rules>
}

function watchedAnswers(
  answersWait: (position: WriterPosition) => boolean,
  reached: Reached,
): (position: WriterPosition) => boolean {
  return (position) => {
    const decision = answersWait(position)
    if (decision !== (position.writes || position.hasEarlierWrites)) reached.count += 1
    return decision
  }
}

function watchedCores(
  wrapCore: (core: SteppedCore, options: CoreOptions) => SteppedCore,
  reached: Reached,
): (core: SteppedCore, options: CoreOptions) => SteppedCore {
  return (core, options) => {
    const inner = new InnerCore(core)
    const before = structuredClone(core.state)
    const outer = wrapCore(inner, options)
    if (!isDeepStrictEqual(before, structuredClone(core.state))) reached.count += 1
    return {
      state: core.state,
      standsAlone: (event) => outer.standsAlone(event),
      step(event, output) {
        if (reached.count > 0) return outer.step(event, output)
        inner.begin(event)
        try {
          const result = outer.step(event, output)
          if (!inner.isUntouched(result)) reached.count += 1
          return result
        } catch (error) {
          // The core stopped itself: that was the bug if it was told something else.
          if (inner.wasToldOtherwise) reached.count += 1
          throw error
        }
      },
    }
  }
}

/** The real core, and what it was told and said. */
class InnerCore implements SteppedCore {
  readonly state: CoreState
  readonly #core: SteppedCore
  #event: CoreEvent | null = null
  #stateBefore: unknown = null
  #said: { readonly state: unknown; readonly output: unknown }[] = []
  wasToldOtherwise = false

  constructor(core: SteppedCore) {
    this.#core = core
    this.state = core.state
  }

  begin(event: CoreEvent): void {
    this.#event = event
    this.#stateBefore = structuredClone(this.state)
    this.#said = []
    this.wasToldOtherwise = false
  }

  isUntouched(output: Output): boolean {
    const [said] = this.#said
    if (said === undefined || this.#said.length > 1 || this.wasToldOtherwise) return false
    return isDeepStrictEqual(said, { state: structuredClone(this.state), output: contentOf(output) })
  }

  standsAlone(event: CoreEvent): boolean {
    return this.#core.standsAlone(event)
  }

  step(event: CoreEvent, output?: Output): Output {
    const isSame = isDeepStrictEqual(event, this.#event)
    if (!isSame || !isDeepStrictEqual(this.#stateBefore, structuredClone(this.state))) this.wasToldOtherwise = true
    const result = this.#core.step(event, output)
    this.#said.push({ state: structuredClone(this.state), output: contentOf(result) })
    return result
  }
}

/** A tampered core ends every batch, which changes nothing by itself. */
function contentOf(output: Output): unknown {
  return structuredClone({ ...output, endsBatch: false })
}
