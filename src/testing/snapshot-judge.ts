// Holds every snapshot of a simulated cluster against the committed log (§7, F27): its place is what was applied, it says
// of itself what the log says, one index has one content on all nodes, and no log forgets what no durable one holds.
import { isDeepStrictEqual } from 'node:util'
import type { CoreState } from '../core/state.js'
import type { LogIndex, NodeId } from '../core/types.js'
import type { StoredSnapshot } from '../interfaces/snapshot-store.js'
import type { SnapshotContext, SnapshotMeta } from '../interfaces/state-machine.js'
import { hex } from '../stores/snapshot-rules.js'
import type { Check } from './checks.js'
import type { Invariants } from './invariants.js'

/** Of an index, and which node was the first. */
type Contents = Map<LogIndex, { readonly digest: string; readonly by: NodeId }>

/** Of one simulation. */
export class SnapshotJudge {
  readonly #invariants: Invariants
  /** What the first node to have a snapshot of an index had in it, and what its state machine had part in that. */
  readonly #contents: Contents = new Map()
  readonly #states: Contents = new Map()

  constructor(invariants: Invariants) {
    this.#invariants = invariants
  }

  /** A state machine is asked for its state; `lastApplied` is the last command that it was given (H51, H52). */
  asks(id: NodeId, lastApplied: LogIndex, { index, term }: SnapshotContext): void {
    const { committed } = this.#invariants
    if (index < lastApplied)
      return this.#fail(
        'snapshot-place',
        `${id}: a snapshot of ${index} was asked of a state that holds ${lastApplied}`,
      )
    for (let skipped = lastApplied + 1; skipped <= index; skipped++) {
      if (committed.at(skipped)?.entry.type !== 'command') continue
      return this.#fail('snapshot-place', `${id}: a snapshot of ${index} was asked before ${skipped} was applied`)
    }
    if (committed.at(index)?.entry.term !== term)
      this.#fail('snapshot-place', `${id}: a snapshot of ${index} in term ${term} was asked, which is not committed`)
  }

  /** A snapshot is durable. */
  stored(id: NodeId, { meta, digest }: StoredSnapshot): void {
    const problem = this.#problemOf(meta)
    if (problem !== null) this.#fail('snapshot-place', `${id}: its snapshot of ${meta.lastIncludedIndex} ${problem}`)
    this.#compare(this.#contents, id, { index: meta.lastIncludedIndex, digest })
  }

  /** A state machine gave this, to its end, or was given it. */
  isState(id: NodeId, index: LogIndex, digest: Uint8Array): void {
    this.#compare(this.#states, id, { index, digest })
  }

  /** A log forgets entries up to `index`; `snapshotIndex` is that of the newest durable snapshot beside it (H53). */
  forgets(
    id: NodeId,
    index: LogIndex,
    { snapshotIndex, trailingEntries }: { readonly snapshotIndex: LogIndex; readonly trailingEntries: number },
  ): void {
    if (index <= Math.max(0, snapshotIndex - trailingEntries)) return
    if (index <= snapshotIndex) {
      const due = `${trailingEntries} entries are to be kept behind the snapshot of ${snapshotIndex}`
      return this.#fail('kept-for-others', `${id}: the log forgets up to ${index}, and ${due} (F27)`)
    }
    const held = snapshotIndex === 0 ? 'no snapshot is durable' : `the durable snapshot ends at ${snapshotIndex}`
    this.#fail('snapshot-is-durable', `${id}: the log forgets up to ${index}, and ${held} (H53)`)
  }

  /** After each step of a core: snapshot ≤ applied ≤ commit ≤ last, and what it takes for durable is. */
  observe(id: NodeId, state: CoreState, snapshotIndex: LogIndex): void {
    const { log, lastApplied, commitIndex } = state
    const places = [log.baseIndex, state.snapshotIndex, lastApplied, commitIndex, log.lastIndex]
    if (places.some((place, at) => place < (places[at - 1] ?? 0)))
      this.#fail('snapshot-place', `${id}: base, snapshot, applied, commit and last are ${places.join(', ')}`)
    if (state.snapshotIndex > snapshotIndex)
      this.#fail(
        'snapshot-is-durable',
        `${id}: its core has a snapshot of ${state.snapshotIndex}, durable is that of ${snapshotIndex} (H53)`,
      )
  }

  /** What a snapshot says of itself is what the committed log says (H59). */
  #problemOf(meta: SnapshotMeta): string | null {
    const { committed } = this.#invariants
    const entry = committed.at(meta.lastIncludedIndex)?.entry
    if (entry === undefined) return 'is not committed'
    if (meta.lastIncludedTerm !== entry.term) return `says term ${meta.lastIncludedTerm}, the log ${entry.term}`
    if (meta.lastIncludedTimestamp !== entry.timestamp)
      return `says log time ${meta.lastIncludedTimestamp}, the log ${entry.timestamp}`
    const inForce = this.#invariants.configurations.committedAt(meta.lastIncludedIndex)
    const configurationIndex = inForce?.index ?? 0
    if (meta.configurationIndex !== configurationIndex)
      return `has the configuration of ${meta.configurationIndex}, in force was that of ${configurationIndex} (H59)`
    if (inForce === null || isDeepStrictEqual(meta.configuration, inForce.configuration)) return null
    return `has another configuration than the entry at ${configurationIndex} (H59)`
  }

  #compare(
    contents: Contents,
    id: NodeId,
    { index, digest }: { readonly index: LogIndex; readonly digest: Uint8Array },
  ): void {
    const found = hex(digest)
    const first = contents.get(index)
    if (first === undefined) contents.set(index, { digest: found, by: id })
    else if (first.digest !== found) {
      const problem = `${id}: the snapshot of ${index} has other content than that of ${first.by}: ${found}, ${first.digest}`
      this.#fail('same-states', problem)
    }
  }

  #fail(check: Check, problem: string): void {
    this.#invariants.fail(check, problem)
  }
}
