// A judge with disks, and what is shown to it: the start of the tests of invariants, witnesses and histories.
import type { CoreState } from '../../../src/core/index.js'
import type { LogEntry } from '../../../src/core/types.js'
import { chainOf, EMPTY_CHAIN, type JudgedEntry } from '../../../src/testing/committed-log.js'
import { type CallRecord, History } from '../../../src/testing/history.js'
import { Invariants } from '../../../src/testing/invariants.js'
import { SimulationRandom } from '../../../src/testing/prng.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { runTurns, Timeline } from '../../../src/testing/timeline.js'
import { VirtualDisk } from '../../../src/testing/virtual-disk.js'

/** A command of one byte. */
export const entry = (index: number, term: number, byte = index): LogEntry => {
  return { index, term, type: 'command', timestamp: 0, data: Uint8Array.of(byte) }
}

/** Entries with their chains, as one log. */
export function logOf(...entries: LogEntry[]): JudgedEntry[] {
  let chain = EMPTY_CHAIN
  return entries.map((one) => {
    chain = chainOf(chain, one)
    return { entry: one, chain }
  })
}

/** A follower in term 2; `terms` are of runs that begin at 1 and 2. */
export function coreState({ lastIndex, terms }: { lastIndex: number; terms: readonly number[] }): CoreState {
  const runs = terms.map((term, at) => ({ first: at + 1, term }))
  const log = { baseIndex: 0, baseTerm: 0, lastIndex, runs, configurations: [] }
  const indexes = { commitIndex: 0, lastApplied: 0 }
  const own = { role: 'follower', currentTerm: 2, votedFor: null, ...indexes, change: null, progress: new Map() }
  return { ...own, log } as unknown as CoreState
}

/** Disks by id, and who judges what is done with them. */
export class Lab {
  readonly timeline = new Timeline()
  readonly disks = new Map<string, VirtualDisk>()
  readonly invariants = new Invariants(this.timeline, this.disks)
  readonly history = new History(this.invariants)

  constructor(...ids: string[]) {
    for (const id of ids)
      this.disks.set(id, new VirtualDisk({ timeline: this.timeline, random: new SimulationRandom(1n) }))
  }

  async write(id: string, ...entries: LogEntry[]): Promise<void> {
    const disk = this.disks.get(id) as VirtualDisk
    void disk.attach(new ProcessGate(this.timeline)).write({ hardState: { currentTerm: 1, votedFor: 'a' }, entries })
    await runTurns(() => this.timeline.step(Number.POSITIVE_INFINITY))
  }

  /** Commits and applies without further questions. */
  commit(...judged: JudgedEntry[]): void {
    for (const one of judged) {
      this.invariants.commits('a', one, one.entry.term)
      this.invariants.applied('a', one.entry.index, one.entry.data[0])
    }
  }

  call(...commands: Uint8Array[]): CallRecord {
    const start = { client: 1, node: 'a', incarnation: 1, input: null, commands, isRead: commands.length === 0 }
    return this.history.begin(start, this.timeline.nowMs)
  }
}
