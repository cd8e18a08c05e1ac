// Configurations in short words, and what a judge is shown of them: the start of the tests of whoever judges memberships.
import { type Configuration, encodeConfiguration, type LogEntry, type Member } from '../../../src/core/index.js'
import { chainOf, EMPTY_CHAIN, type HeldConfiguration } from '../../../src/testing/committed-log.js'
import type { Invariants } from '../../../src/testing/invariants.js'

/** `a b c?` or, joint, `a b / b c`: incoming members, learners with a `?`, and the outgoing voters behind a slash. */
export function configuration(text: string): Configuration {
  const [incoming = '', outgoing = ''] = text.split('/')
  return { members: membersOf(incoming), votersOutgoing: membersOf(outgoing) }
}

export function heldAt(index: number, text: string): HeldConfiguration {
  return { index, configuration: configuration(text) }
}

/** What is committed of a log: a word of `configuration`, or null for a no-op; all of term 1 unless given. */
export function commitAll(invariants: Invariants, texts: readonly (string | null)[], term = 1): void {
  let chain = EMPTY_CHAIN
  texts.forEach((text, at) => {
    const type = text === null ? 'noop' : 'configuration'
    const data = text === null ? new Uint8Array(0) : encodeConfiguration(configuration(text))
    const entry: LogEntry = { index: at + 1, term, type, timestamp: 10 * (at + 1), data }
    chain = chainOf(chain, entry)
    const verdict = invariants.committed.committed({ entry, chain }, { currentTerm: term, nowMs: 0 })
    if ('problem' in verdict) throw new Error(verdict.problem)
  })
}

function membersOf(text: string): Member[] {
  const words = text.split(' ').filter((word) => word !== '')
  return words.map((word) => {
    const id = word.replace('?', '')
    return { id, address: `${id}:1`, suffrage: word.endsWith('?') ? 'learner' : 'voter' }
  })
}
