// The log lines of a running node (F42): what happened, in the words of the documentation, with the facts as fields.
// Decides nothing.
import type { Output, RoleChange } from '../core/output.js'
import type { CoreState } from '../core/state.js'
import type { Configuration, LogIndex, NodeId, Term } from '../core/types.js'
import type { RaftError } from '../errors.js'
import type { Logger } from '../interfaces/logger.js'
import type { SnapshotMeta } from '../interfaces/state-machine.js'
import type { LogThrottle } from './log.js'
import type { FixedOptions, SettingValues } from './options.js'

/** How far the wall clock may lag log time before it is worth a line, ms (F34). */
const CLOCK_LAG_MS = 1_000

/** Of the node that it speaks of. */
export interface NarratorOptions extends FixedOptions {
  readonly settings: Pick<SettingValues, 'electionTimeoutMs'>
}

export class Narrator {
  readonly #options: NarratorOptions
  readonly #logger: Logger
  readonly #throttle: LogThrottle
  readonly #unreachable = new Set<NodeId>()
  #lastIndex: LogIndex

  constructor(options: NarratorOptions, logger: Logger, about: { throttle: LogThrottle; lastIndex: LogIndex }) {
    this.#options = options
    this.#logger = logger
    this.#throttle = about.throttle
    this.#lastIndex = about.lastIndex
  }

  onOutput({ append, hardState }: Output, state: CoreState): void {
    const { id } = this.#options
    if (hardState !== undefined && hardState.votedFor !== null && hardState.votedFor !== id) {
      this.#logger.info({ node: id, term: hardState.currentTerm, candidate: hardState.votedFor }, 'Vote granted')
    }
    const first = append?.entries[0]
    if (append === undefined || first === undefined) return
    if (first.index <= this.#lastIndex) {
      this.#logger.warn({ node: id, from: first.index, to: this.#lastIndex, term: first.term }, 'Log truncated')
    }
    this.#lastIndex = first.index + append.entries.length - 1
    const lagMs = state.role === 'leader' && state.wallTime > 0 ? state.logTime - state.wallTime : 0
    if (lagMs > CLOCK_LAG_MS && this.#throttle.allows('clock')) {
      this.#logger.warn({ node: id, lagMs }, 'Wall clock lags log time')
    }
  }

  onRole({ role, previous, term, reason }: RoleChange): void {
    const node = this.#options.id
    if (previous === 'leader') this.#logger.warn({ node, term, reason }, 'Stepping down')
    switch (role) {
      case 'preCandidate':
        this.#logger.debug({ node, term: term + 1, reason }, 'Asking for pre-votes')
        return
      case 'candidate':
        this.#logger.info({ node, term }, 'Starting election')
        return
      case 'leader':
        this.#logger.info({ node, term }, 'Won election')
        this.#logger.info({ node, term }, 'Became leader')
        this.#logger.info({ term }, `Node ${node} is the LEADER`)
        return
      case 'follower':
        this.#logger.info({ term, reason }, `Node ${node} is a FOLLOWER`)
    }
  }

  onLeader(leaderId: NodeId | null, term: Term): void {
    const node = this.#options.id
    if (leaderId === null) this.#logger.info({ node, term }, 'No leader is known')
    else this.#logger.info({ node, term }, `Leader is ${leaderId}`)
  }

  onPeerStatus(peer: NodeId, status: 'up' | 'closed' | 'reset'): void {
    const node = this.#options.id
    if (status === 'up') {
      if (this.#unreachable.delete(peer)) this.#logger.info({ node, peer }, 'Peer recovered')
    } else {
      this.#unreachable.add(peer)
      if (this.#throttle.allows(`unreachable ${peer}`)) this.#logger.warn({ node, peer, status }, 'Peer unreachable')
    }
  }

  onWrite(tookMs: number): void {
    if (tookMs < this.#options.settings.electionTimeoutMs || !this.#throttle.allows('fsync')) return
    this.#logger.warn({ node: this.#options.id, tookMs: Math.round(tookMs) }, 'Slow fsync')
  }

  onReconfigured({ electionTimeoutMs, heartbeatIntervalMs }: SettingValues): void {
    const timings = { electionTimeoutMs, heartbeatIntervalMs }
    this.#logger.info({ node: this.#options.id, ...timings }, 'Options changed')
  }

  onSnapshot({ lastIncludedIndex: index, lastIncludedTerm: term }: SnapshotMeta, sizeBytes: number): void {
    this.#logger.info({ node: this.#options.id, index, term, sizeBytes }, 'Snapshot created')
  }

  /** One that the leader sent took the place of log and state. */
  onInstalled({ lastIncludedIndex: index, lastIncludedTerm: term }: SnapshotMeta): void {
    this.#lastIndex = index
    this.#logger.info({ node: this.#options.id, index, term }, 'Snapshot installed')
  }

  onSendingSnapshot(peer: NodeId, { lastIncludedIndex: index }: SnapshotMeta, sizeBytes: number): void {
    this.#logger.info({ node: this.#options.id, peer, index, sizeBytes }, 'Sending snapshot')
  }

  onSnapshotUnsent(peer: NodeId, { code, message }: RaftError): void {
    if (!this.#throttle.allows(`unsent ${peer}`)) return
    this.#logger.warn({ node: this.#options.id, peer, code, reason: message }, 'Snapshot not sent')
  }

  /** A transfer to `peer` failed there: its own log says why. */
  onRefusedSnapshot(peer: NodeId, retryMs: number): void {
    if (!this.#throttle.allows(`refused by ${peer}`)) return
    this.#logger.warn({ node: this.#options.id, peer, retryMs }, 'Snapshot refused by the peer, its log says why')
  }

  /** A transfer from `peer` failed here. */
  onSnapshotRefused(peer: NodeId, { code, message }: RaftError): void {
    if (!this.#throttle.allows(`refused snapshot ${peer}`)) return
    this.#logger.warn({ node: this.#options.id, peer, code, reason: message }, 'Received snapshot dropped')
  }

  onDamagedChunk(peer: NodeId, offset: number): void {
    if (!this.#throttle.allows(`chunk ${peer}`)) return
    this.#logger.warn({ node: this.#options.id, peer, offset }, 'Damaged chunk of a snapshot dropped')
  }

  onSnapshotFailed({ code, message }: RaftError, retryMs: number): void {
    this.#logger.warn({ node: this.#options.id, code, reason: message, retryMs }, 'Snapshot failed')
  }

  onFounded(clusterId: string, { currentTerm: term }: CoreState): void {
    this.#logger.info({ node: this.#options.id, clusterId, term }, 'Founded a cluster')
  }

  onAdopted(clusterId: string, leader: NodeId): void {
    this.#logger.info({ node: this.#options.id, clusterId, leader }, 'Joined a cluster')
  }

  onConfiguration({ members }: Configuration, index: LogIndex): void {
    const named = (suffrage: string) => members.filter((member) => member.suffrage === suffrage).map(({ id }) => id)
    const [voters, learners] = [named('voter').join(','), named('learner').join(',')]
    this.#logger.info({ node: this.#options.id, index, voters, learners }, 'Configuration committed')
  }

  onBackupFailed({ code, message }: RaftError): void {
    if (!this.#throttle.allows('backup')) return
    this.#logger.warn({ node: this.#options.id, code, reason: message }, 'Backup failed')
  }

  onCompacted(index: LogIndex): void {
    this.#logger.info({ node: this.#options.id, index }, 'Log compacted')
  }

  /** A peer's hello was refused: the text says why. */
  onRefusal(code: string, text: string): void {
    if (this.#throttle.allows(`refused ${code}`))
      this.#logger.warn({ node: this.#options.id, code, reason: text }, 'Peer refused')
  }

  onImplausibleTerm(peer: NodeId, term: Term): void {
    if (!this.#throttle.allows(`term ${peer}`)) return
    this.#logger.warn({ node: this.#options.id, peer, term }, 'Message with an implausible term dropped')
  }
}
