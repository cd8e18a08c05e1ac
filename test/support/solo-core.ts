// One core alone, whose peers are the test: what it sends is collected, and the messages that it gets are written by
// hand, field by field as the paper has them, with harmless defaults for the rest.
import type {
  AppendEntries,
  AppendEntriesResponse,
  Heartbeat,
  HeartbeatResponse,
  LogEntry,
  Message,
  NodeId,
  PreVote,
  ProposeRequest,
  RequestVote,
  Term,
} from 'helios-raft/core'
import { configurationOf, diskOf } from './core-cluster.js'
import { bytes, DEFAULT_NODE, type Durable, type NodeOptions, SimulatedNode } from './core-node.js'

export interface SoloOptions extends Partial<Omit<NodeOptions, 'configuration'>> {
  readonly voters?: readonly NodeId[]
  readonly learners?: readonly NodeId[]
  /** Terms of the log's entries, from index 1. */
  readonly terms?: readonly Term[]
  readonly currentTerm?: Term
  readonly votedFor?: NodeId | null
  readonly disk?: Durable
}

export interface Sent<M extends Message = Message> {
  readonly to: NodeId
  readonly message: M
}

export class SoloCore extends SimulatedNode {
  /** Everything that left, oldest first. */
  sent: Sent[]

  constructor(options: SoloOptions = {}) {
    const { voters = ['a', 'b', 'c'], learners = [], terms = [], currentTerm, votedFor, disk, ...rest } = options
    const sent: Sent[] = []
    const configuration = configurationOf(voters, learners)
    const node = { ...DEFAULT_NODE, id: 'a', ...rest, configuration }
    super(
      node,
      { post: (_, to, message) => this.sent.push({ to, message }) },
      disk ?? diskOf(terms, currentTerm, votedFor),
    )
    this.sent = sent
    this.start()
  }

  /** What left of one type, and forgets everything that left. */
  take<T extends Message['type']>(type: T): Sent<Extract<Message, { type: T }>>[] {
    const taken = this.sent.filter((sent): sent is Sent<Extract<Message, { type: T }>> => sent.message.type === type)
    this.sent = []
    return taken
  }

  /** The last answer of one type. */
  last<T extends Message['type']>(type: T): Extract<Message, { type: T }> {
    const found = this.take(type).at(-1)
    if (found === undefined) throw new Error(`no ${type} left`)
    return found.message
  }

  /** Lets its election timeout pass, and nothing more. */
  timeOut(): void {
    const round = this.state.preVoteRound
    while (this.state.preVoteRound === round) this.tick(Math.max(0, this.deadline - this.clock))
  }

  /** Becomes candidate with the pre-votes of `supporters`. */
  becomeCandidate(supporters: readonly NodeId[] = ['b', 'c']): void {
    this.timeOut()
    const { preVoteRound: round, currentTerm } = this.state
    for (const from of supporters) {
      if (this.state.role !== 'preCandidate') break
      this.receive(from, { type: 'preVoteResponse', term: currentTerm + 1, round, voteGranted: true })
    }
  }

  /** Becomes leader with the votes of `supporters`; what it sent meanwhile stays in `sent`. */
  becomeLeader(supporters: readonly NodeId[] = ['b', 'c']): void {
    this.becomeCandidate(supporters)
    for (const from of supporters) {
      if (this.state.role !== 'candidate') break
      this.receive(from, { type: 'requestVoteResponse', term: this.state.currentTerm, voteGranted: true })
    }
    if (this.state.role !== 'leader') throw new Error(`it is ${this.state.role}`)
  }

  /** A follower's acknowledgement of everything up to `index`. */
  acknowledge(from: NodeId, index: number, extra: Partial<AppendEntriesResponse> = {}): void {
    this.receive(from, { ...appendResponse({ term: this.state.currentTerm, index }), ...extra })
  }
}

export function entriesOf(first: number, ...terms: readonly Term[]): LogEntry[] {
  return terms.map((term, at) => {
    const index = first + at
    return { index, term, type: 'command', timestamp: 0, data: bytes(`${index}:${term}`) }
  })
}

export function append(fields: Partial<AppendEntries> & { term: Term }): AppendEntries {
  return { type: 'appendEntries', addedAt: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, entries: [], ...fields }
}

export function appendResponse(
  fields: Partial<AppendEntriesResponse> & { term: Term; index: number },
): AppendEntriesResponse {
  const type = 'appendEntriesResponse'
  return { type, addedAt: 0, outcome: 'success', hintIndex: 0, hintTerm: 0, ...fields }
}

export function heartbeat(fields: Partial<Heartbeat> & { term: Term }): Heartbeat {
  const place = { addedAt: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 0 }
  return { type: 'heartbeat', ...place, sentMs: 0, echoMs: -1, echoBoot: 0, quorumAgeMs: 0, leaseMs: 0, ...fields }
}

export function heartbeatResponse(fields: Partial<HeartbeatResponse> & { term: Term }): HeartbeatResponse {
  const clocks = { sentMs: 0, boot: 1, echoMs: 0, leaseMs: 0 }
  return { type: 'heartbeatResponse', addedAt: 0, round: 0, index: 0, ...clocks, ...fields }
}

export function requestVote(fields: Partial<RequestVote> & { term: Term }): RequestVote {
  return { type: 'requestVote', lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false, ...fields }
}

export function preVote(fields: Partial<PreVote> & { term: Term }): PreVote {
  return { type: 'preVote', round: 1, lastLogIndex: 0, lastLogTerm: 0, ...fields }
}

export function proposeRequest(fields: Partial<ProposeRequest> & { term: Term; number: number }): ProposeRequest {
  return {
    type: 'proposeRequest',
    boot: 1,
    entryType: 'command',
    commands: [bytes(`forward ${fields.number}`)],
    ...fields,
  }
}
