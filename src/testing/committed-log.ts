// What the cluster as a whole has committed, as the judge of a simulation sees it: one table by index that no node may
// contradict (figure 3: log matching, leader completeness, state machine safety). It forgets nothing.
import { decodeConfiguration } from '../core/configuration-codec.js'
import type { Configuration, LogEntry, LogIndex, Term } from '../core/types.js'
import type { Violation } from './checks.js'

/** An entry as the judge remembers it. */
export interface JudgedEntry {
  readonly entry: LogEntry
  /** Hash over this entry and all before it: equal at one index means equal logs up to there. */
  readonly chain: number
}

export interface CommittedEntry extends JudgedEntry {
  /** Term in which a node first held it committed. */
  readonly committedInTerm: Term
  /** When, ms of the simulation. */
  readonly committedAtMs: number
}

/** A configuration and the entry that brought it; index 0 for the bootstrap list. */
export interface HeldConfiguration {
  readonly index: LogIndex
  readonly configuration: Configuration
}

/** The configuration that an entry brings; null for any other entry. */
export function configurationIn({ index, type, data }: LogEntry): HeldConfiguration | null {
  const configuration = type === 'configuration' ? decodeConfiguration(data) : null
  return configuration === null ? null : { index, configuration }
}

/** Chain of the empty log. */
export const EMPTY_CHAIN = 0x2545f491

/** The chain of `entry` behind a log whose chain is `previous`. */
export function chainOf(previous: number, entry: LogEntry): number {
  let hash = previous
  for (const word of [entry.index, entry.term, entry.type.length, Math.floor(entry.timestamp / 0x1_0000_0000)]) {
    hash = stir(hash, word)
  }
  hash = stir(hash, entry.timestamp >>> 0)
  for (const byte of entry.data) hash = stir(hash, byte)
  return hash
}

/** The global table (index → term, hash). */
export class CommittedLog {
  readonly #entries: CommittedEntry[] = []
  readonly #configurations: HeldConfiguration[] = []
  /** (term, index) → chain of every entry that any node ever appended: log matching holds for uncommitted ones too. */
  readonly #chains = new Map<number, number>()

  get lastIndex(): LogIndex {
    return this.#entries.length
  }

  at(index: LogIndex): CommittedEntry | undefined {
    return this.#entries[index - 1]
  }

  get entries(): readonly CommittedEntry[] {
    return this.#entries
  }

  /** The newest configuration at or below `index` that an entry brought. */
  configurationAt(index: LogIndex): HeldConfiguration | undefined {
    return this.#configurations.findLast((held) => held.index <= index)
  }

  /** All that entries brought. */
  get configurations(): readonly HeldConfiguration[] {
    return this.#configurations
  }

  /** The last index that was committed in a term before `term`: what a leader of `term` must hold (§5.4). */
  lastIndexBefore(term: Term): LogIndex {
    let index = this.#entries.length
    while (index > 0 && (this.#entries[index - 1] as CommittedEntry).committedInTerm >= term) index -= 1
    return index
  }

  /** The last index that was committed at `atMs` at the latest. */
  lastIndexAt(atMs: number): LogIndex {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle] as CommittedEntry).committedAtMs <= atMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Some node appended it. Returns what is wrong, or null. */
  appended({ entry, chain }: JudgedEntry): string | null {
    const { index, term } = entry
    const key = term * 0x1_0000_0000 + index
    const held = this.#chains.get(key)
    if (held === undefined) this.#chains.set(key, chain)
    else if (held !== chain) return `two logs differ at or below entry ${index} of term ${term} (log matching)`
    return null
  }

  /** Some node in `currentTerm` holds it committed. Returns whether it is news, or what is wrong. */
  committed(judged: JudgedEntry, at: { currentTerm: Term; nowMs: number }): { isNew: boolean } | Violation {
    const { entry, chain } = judged
    const held = this.#entries[entry.index - 1]
    if (held === undefined) {
      if (entry.index !== this.#entries.length + 1)
        return { check: 'committed-in-order', problem: `entry ${entry.index} was committed before an earlier one` }
      this.#entries.push({ entry, chain, committedInTerm: at.currentTerm, committedAtMs: at.nowMs })
      const configuration = configurationIn(entry)
      if (configuration !== null) this.#configurations.push(configuration)
      return { isNew: true }
    }
    if (held.chain === chain) return { isNew: false }
    const terms = `term ${held.entry.term} there and term ${entry.term} here`
    return {
      check: 'state-machine-safety',
      problem: `entry ${entry.index} was committed twice, with ${terms} (state machine safety)`,
    }
  }
}

function stir(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
