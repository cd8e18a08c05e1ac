// Watches one incarnation of a node from inside and outside: each step of its core, each message it sends, beside what is
// durable on its disk at that moment (assurance §1, invariants after each event). It judges and changes nothing.
import type {
  CoreEvent,
  CoreState,
  LogEntry,
  LogIndex,
  Message,
  NodeId,
  Output,
  StateSummary,
  Term,
} from '../core/index.js'
import { checkStep, summarize, termAt } from '../core/index.js'
import type { Check } from './checks.js'
import { configurationIn, type HeldConfiguration, type JudgedEntry } from './committed-log.js'
import type { Invariants } from './invariants.js'
import { CompactionWatch } from './compaction-watch.js'
import { JudgedLog } from './judged-log.js'
import { ChangeWatch } from './change-watch.js'
import { SessionWatch } from './session-watch.js'
import { TransferWatch } from './transfer-watch.js'
import type { VirtualDisk } from './virtual-disk.js'

/** One incarnation of one node, under observation. */
export class Witness {
  readonly id: NodeId
  readonly #invariants: Invariants
  readonly #disk: VirtualDisk
  /** The node's log with payloads, as its Outputs tell it. */
  readonly #log: JudgedLog
  readonly #transfers: TransferWatch
  readonly #compactions: CompactionWatch
  readonly #sessions = new SessionWatch()
  readonly #changes = new ChangeWatch()
  /** As of the last step. */
  #configuration: HeldConfiguration | null = null
  #isChanging = false
  /** Appended in this step. */
  readonly #newConfigurations: LogEntry[] = []
  #before: StateSummary | null = null
  #state: CoreState | null = null
  #output: Output | null = null
  #outputEntryCount = 0
  /** What this leader counts of each peer. */
  readonly #matches = new Map<NodeId, LogIndex>()
  /** Event number after which the node must be silent: its disk failed in that event (F31). */
  #failedIn: number | null = null

  constructor(
    id: NodeId,
    invariants: Invariants,
    disk: VirtualDisk,
    electionTimeoutMs: number = Number.POSITIVE_INFINITY,
  ) {
    this.#transfers = new TransferWatch(electionTimeoutMs)
    this.#compactions = new CompactionWatch(electionTimeoutMs)
    this.id = id
    this.#invariants = invariants
    this.#disk = disk
    this.#log = new JudgedLog(invariants.committed)
  }

  /** Role, term and indexes after the last step; null before the first. */
  get state(): StateSummary | null {
    return this.#before
  }

  /** Of the core itself; null before the first step. */
  get coreState(): CoreState | null {
    return this.#state
  }

  /** The newest configuration in its log; null before the first step, and where none is known. */
  get configuration(): HeldConfiguration | null {
    return this.#configuration
  }

  /** It leads, and something of a change of the membership is still to be done. */
  get isChanging(): boolean {
    return this.#isChanging
  }

  /** The disk of this incarnation failed in event `number`. */
  diskFailed(number: number): void {
    this.#failedIn ??= number
  }

  get hasFailedDisk(): boolean {
    return this.#failedIn !== null
  }

  /** After each step of the core. */
  observe(state: CoreState, event: CoreEvent | null, output: Output | null): void {
    const before = this.#before
    if (before === null || event === null) this.#restore(state)
    else this.#checkStep(before, state)
    // The log begins anew behind the snapshot.
    if (event?.type === 'snapshotInstalled' && event.outcome === 'installed') this.#resetLog(state.log.baseIndex)
    if (output !== null) this.#follow(output)
    const held = this.#log.lastIndex
    if (held !== state.log.lastIndex)
      this.#fail('written-as-logged', `its log ends at ${state.log.lastIndex}, but its Outputs made it ${held}`)
    if (state.commitIndex > (before?.commitIndex ?? 0)) this.#checkCommit(before?.commitIndex ?? 0, state)
    if (state.role === 'leader' && before?.role !== 'leader') this.#checkLeader(state.currentTerm)
    this.#checkConfigurations(state)
    this.#checkPersisted(state)
    this.#checkMatches(state)
    this.#invariants.snapshots.observe(this.id, state, this.#disk.snapshots.latestIndex)
    this.#checkTransfer(this.#transfers.observe(state, event))
    const foreign = this.#sessions.observe(state, event)
    if (foreign !== null) this.#fail('other-session', foreign)
    const repeated = this.#changes.observe(state, event)
    if (repeated !== null) this.#fail('change-acts-once', repeated)
    const forgotten = this.#compactions.observe(state, event)
    if (forgotten !== null) this.#fail('kept-for-others', forgotten)
    this.#before = summarize(state)
    this.#state = state
  }

  /** What a core takes for durable is durable (H26). */
  #checkPersisted({ persistedIndex: index, installing }: CoreState): void {
    // While a snapshot is installed the disk is reset before the core is.
    if (installing !== null) return
    const problem = this.#differenceAt(index)
    if (problem !== null) this.#fail('persisted-is-durable', `it takes for durable ${problem} (H26)`)
  }

  /** How the entry in the log is another than the durable one; null when they are the same. */
  #differenceAt(index: LogIndex): string | null {
    const [held, durable] = [this.#log.at(index)?.entry.term, this.#invariants.durableTerm(this.#disk, index)]
    if (index === 0 || held === durable) return null
    return `entry ${index} of term ${held ?? 'none'}, where one of term ${durable ?? 'none'} is durable`
  }

  /** What a leader counts as replicated is durable there, and what it holds itself (H24, H25). */
  #checkMatches({ role, currentTerm, progress }: CoreState): void {
    if (role !== 'leader') return this.#matches.clear()
    for (const [peer, { matchIndex }] of progress) {
      if (matchIndex === (this.#matches.get(peer) ?? 0)) continue
      this.#matches.set(peer, matchIndex)
      const term = this.#log.at(matchIndex)?.entry.term
      if (term !== undefined) this.#invariants.counts({ by: this.id, currentTerm, peer, index: matchIndex, term })
    }
  }

  /** Before each message leaves: nothing is promised that a crash could take back (H1, H26, H111). */
  onSend(to: NodeId, message: Message): void {
    if (this.#failedIn !== null && this.#invariants.eventNumber > this.#failedIn) {
      this.#fail('silent-after-failure', `it sent a ${message.type} after its disk had failed (F31)`)
    }
    if (message.type === 'appendEntries') this.#checkLeadership(message.term)
    this.#checkTransfer(this.#transfers.onSend(to, message))
    const { hardState } = this.#disk
    const asksAhead = message.type === 'preVote' || (message.type === 'preVoteResponse' && message.voteGranted)
    if (!asksAhead && message.term > hardState.currentTerm) {
      this.#fail(
        'term-is-durable',
        `it sent a ${message.type} of term ${message.term} while term ${hardState.currentTerm} is durable (H1)`,
      )
    }
    // Where nothing was ever stored there is no node yet that could have been told.
    if (this.#configuration === null && this.#disk.identity !== null && isElectoral(message))
      this.#fail('voter-is-member', `it sent a ${message.type} while its store knows no configuration (F25, H112)`)
    if (message.type === 'requestVote') this.#checkVote(message.term, this.id, 'a vote request')
    if (message.type === 'requestVoteResponse' && message.voteGranted) this.#checkVote(message.term, to, 'a grant')
    // Once a later term is durable the log may have moved on; within the term what was verified stays.
    if (message.term === hardState.currentTerm) this.#checkClaim(message)
  }

  /** Entries are sent by who leads their term now, not by who did when they were asked for (H98, H128). */
  #checkLeadership(term: Term): void {
    const { role, currentTerm } = this.#before ?? { role: 'follower', currentTerm: 0 }
    if (role === 'leader' && currentTerm === term) return
    this.#fail(
      'sent-as-leader',
      `it sent entries in the name of term ${term}, as ${role} of term ${currentTerm} (H128)`,
    )
  }

  #checkTransfer(problem: string | null): void {
    if (problem !== null) this.#fail('handed-over', problem)
  }

  #checkVote(term: Term, candidate: NodeId, what: string): void {
    this.#invariants.votes(this.id, term, candidate)
    const durable = this.#disk.voteIn(term)
    // With a later term durable no vote of this one can be given any more, so it need not be durable by itself.
    if (durable === candidate || (durable === undefined && this.#disk.hardState.currentTerm > term)) return
    this.#fail(
      'vote-is-durable',
      `it sent ${what} of term ${term} for ${candidate}, but its durable vote there is ${durable ?? 'none'} (H1)`,
    )
  }

  #checkClaim(message: Message): void {
    const { lastIndex } = this.#disk
    if (message.type === 'appendEntriesResponse' && message.outcome === 'success') {
      this.#checkAcknowledged(message.term, message.index, 'it acknowledged')
    }
    const held = Math.max(lastIndex, this.#disk.snapshots.latestIndex)
    if (message.type === 'installSnapshotResponse' && message.outcome === 'installed' && message.index > held) {
      const problem = `it said that it holds the snapshot of ${message.index}, but only ${held} is durable (H53)`
      this.#fail('acknowledged-is-durable', problem)
    }
    if (message.type === 'heartbeatResponse') {
      this.#checkAcknowledged(message.term, message.index, 'it answered a heartbeat with')
    }
    // A leader of this very term may have replaced the log since: then the request can win nothing any more.
    const isReplaced = this.#invariants.durableTerm(this.#disk, lastIndex) === message.term
    if (message.type === 'requestVote' && !isReplaced && message.lastLogIndex > lastIndex) {
      this.#fail(
        'request-is-durable',
        `it asked for votes with entry ${message.lastLogIndex}, but only ${lastIndex} is durable (H1)`,
      )
    }
  }

  /** Durable is the entry that the log holds, not what a leader before left at its index. */
  #checkAcknowledged(term: Term, index: LogIndex, what: string): void {
    const { lastIndex } = this.#disk
    if (index > lastIndex)
      return this.#fail('acknowledged-is-durable', `${what} entry ${index}, but only ${lastIndex} is durable (H26)`)
    // In a later term the log may have moved on already, while this answer waited.
    const problem = this.#before?.currentTerm === term ? this.#differenceAt(index) : null
    if (problem !== null) this.#fail('acknowledged-is-durable', `${what} ${problem} (H26)`)
  }

  /** A new incarnation holds what its disk held. */
  #restore(state: CoreState): void {
    if (state.currentTerm !== this.#disk.hardState.currentTerm)
      this.#fail('restored-as-stored', 'it forgot its durable term (H2)')
    if (state.votedFor !== this.#disk.hardState.votedFor)
      this.#fail('restored-as-stored', 'it forgot its durable vote (H2)')
    this.#resetLog(this.#disk.baseIndex)
    for (const entry of this.#disk.entries) this.#append(entry)
  }

  #checkStep(before: StateSummary, state: CoreState): void {
    try {
      checkStep(before, state)
    } catch (error) {
      this.#fail('step', (error as Error).message)
    }
  }

  /** Several steps may share one Output: only what is new in it is followed. */
  #follow(output: Output): void {
    if (output !== this.#output) {
      this.#output = output
      this.#outputEntryCount = 0
    }
    const entries = output.append?.entries ?? []
    for (const entry of entries.slice(this.#outputEntryCount)) this.#append(entry)
    this.#outputEntryCount = entries.length
  }

  #append(entry: LogEntry): void {
    if (entry.type === 'configuration') this.#newConfigurations.push(entry)
    const problem = this.#invariants.committed.appended(this.#log.append(entry))
    if (problem !== null) this.#fail('log-matching', problem)
  }

  #resetLog(baseIndex: LogIndex): void {
    this.#log.reset(baseIndex, baseIndex === 0 ? null : this.#invariants.configurations.committedAt(baseIndex))
  }

  /** Those that came, and the one in force. */
  #checkConfigurations(state: CoreState): void {
    const { configurations } = this.#invariants
    for (const entry of this.#newConfigurations.splice(0)) {
      const held = configurationIn(entry)
      const before = this.#log.configurationBefore(entry.index)
      if (held !== null) configurations.appended(this.id, held, { before, term: entry.term })
    }
    const inForce = this.#log.configuration
    configurations.inForce(this.id, state, inForce)
    if (inForce?.index !== this.#configuration?.index) configurations.changed()
    this.#configuration = inForce
    const isOpen = inForce === null || inForce.index > state.commitIndex || state.change !== null
    this.#isChanging = state.role === 'leader' && (isOpen || !state.quorum.incoming.includes(this.id))
  }

  #checkCommit(before: LogIndex, state: CoreState): void {
    if (this.#log.lastIndex < state.commitIndex) {
      const problem = `it holds ${state.commitIndex} committed, but its log ends at ${this.#log.lastIndex}`
      return this.#fail('written-as-logged', problem)
    }
    // A new incarnation learns commitIndex again: what the table holds already is compared at its end only.
    const known = Math.min(state.commitIndex, this.#invariants.committed.lastIndex)
    for (let index = Math.max(before + 1, known); index <= state.commitIndex; index++) {
      const judged = this.#log.at(index) as JudgedEntry
      this.#invariants.commits(this.id, judged, state.currentTerm, this.#countsBy?.configuration)
    }
    const term = termAt(state.log, state.commitIndex)
    if (term !== this.#log.at(state.commitIndex)?.entry.term)
      this.#fail('written-as-logged', 'its terms are not those of its entries')
  }

  /** In force before this step: what it commits is counted by that, and what it appends then is in force for the next. */
  get #countsBy(): HeldConfiguration | null {
    return this.#configuration ?? this.#invariants.configurations.newest
  }

  #checkLeader(term: Term): void {
    const { committed } = this.#invariants
    if (this.#countsBy !== null) this.#invariants.isElected(this.id, term, this.#countsBy.configuration)
    this.#invariants.leads(this.id, term)
    const index = committed.lastIndexBefore(term)
    if (index > 0 && this.#log.at(index)?.chain !== committed.at(index)?.chain) {
      this.#fail(
        'leader-completeness',
        `it leads term ${term} without entry ${index}, which was committed before (leader completeness)`,
      )
    }
  }

  #fail(check: Check, problem: string): void {
    this.#invariants.fail(check, `${this.id}: ${problem}`)
  }
}

/** Asks to be elected, or helps somebody. The knock of a founding has no round and no term. */
function isElectoral(message: Message): boolean {
  if (message.type === 'preVote' || message.type === 'requestVote') return true
  const isAnswer = message.type === 'preVoteResponse' || message.type === 'requestVoteResponse'
  return isAnswer && message.voteGranted
}
