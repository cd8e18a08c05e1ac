import { describe, expect, it } from 'vitest'
import type { CoreEvent } from '../../../../src/core/event.js'
import type { Message } from '../../../../src/core/messages.js'
import { Output } from '../../../../src/core/output.js'
import { type CoreState, initialState } from '../../../../src/core/state.js'
import { FORWARD_BUGS } from '../../../../src/testing/bugs/forwards.js'
import { READ_BUGS } from '../../../../src/testing/bugs/reads.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import { CORE_OPTIONS } from '../../node/harness.js'
import { Reached, watched } from './watched-internals.js'

/** Seeds within which a bug must have made a difference, whether anybody noticed or not. */
const MOST_SEEDS = 40

/** What they wait for is rare: they are told of it by hand. */
const RARE = ['read-answer-of-earlier-boot', 'forward-answer-of-earlier-boot', 'forward-taken-in-later-term']

/** Those that tamper with the core; the others replace a rule of the node, which needs no run to be seen. */
const tampering = Object.entries({ ...READ_BUGS, ...FORWARD_BUGS }).filter(([name, { internals }]) => {
  return internals.wrapCore !== undefined && !RARE.includes(name)
})

/** What the core inside is told when the tampered one receives a message. */
function told(bug: string, message: Message, prepare: (state: CoreState) => void): Message | null {
  const restored = { hardState: { currentTerm: 5, votedFor: null }, firstIndex: 1, lastIndex: 0, previousTerm: 0 }
  const options = { ...CORE_OPTIONS, boot: 2 }
  const state = initialState(options, { ...restored, termRuns: [], logTime: 0, configuration: null }, 0)
  prepare(state)
  const seen: CoreEvent[] = []
  const core = {
    state,
    standsAlone: () => true,
    step(event: CoreEvent) {
      seen.push(event)
      return new Output()
    },
  }
  const { wrapCore } = { ...READ_BUGS, ...FORWARD_BUGS }[bug]?.internals ?? {}
  wrapCore?.(core, options).step({ type: 'receive', now: 0, wallTime: 0, from: 'b', message, budgetBytes: 0 })
  const [event] = seen
  return event?.type === 'receive' ? event.message : null
}

describe('a seeded bug of reads or forwards', () => {
  it.each(tampering)(
    '%s tells or says something else than the library in a short run',
    async (_name, { internals: { wrapCore } }) => {
      const reached = new Reached()
      for (let seed = 1; seed <= MOST_SEEDS && reached.count === 0; seed++) {
        await runSeed(BigInt(seed), { internals: watched({ wrapCore }, reached) })
      }
      expect(reached.count).toBeGreaterThan(0)
    },
    240_000,
  )

  it('read-answer-of-earlier-boot takes what was meant for an earlier life', () => {
    const answer: Message = { type: 'readIndexResponse', term: 5, boot: 1, number: 7, readIndex: 3 }
    expect(told('read-answer-of-earlier-boot', answer, () => {})).toEqual({ ...answer, boot: 2 })
  })

  it('forward-answer-of-earlier-boot takes what was meant for an earlier life', () => {
    const place = { refusal: null, firstIndex: 3, entryTerm: 5 } as const
    const answer: Message = { type: 'proposeResponse', term: 5, boot: 1, number: 7, ...place }
    expect(told('forward-answer-of-earlier-boot', answer, () => {})).toEqual({ ...answer, boot: 2 })
  })

  it('forward-taken-in-later-term takes what was meant for a leader of an earlier term, and only that', () => {
    const forward: Message = { type: 'proposeRequest', term: 4, boot: 1, number: 7, entryType: 'command', commands: [] }
    const lead = (state: CoreState): void => {
      state.role = 'leader'
    }
    expect(told('forward-taken-in-later-term', forward, lead)).toEqual({ ...forward, term: 5 })
    expect(told('forward-taken-in-later-term', forward, () => {})).toBe(forward)
    const later = { ...forward, term: 6 }
    expect(told('forward-taken-in-later-term', later, lead)).toBe(later)
  })
})
