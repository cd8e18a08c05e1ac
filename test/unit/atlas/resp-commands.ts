// A server of commands without network: for tests of replies. Writes are applied at once.
import type { CallOptions } from 'helios-raft'
import { Administration } from '../../../examples/atlas-kv/src/admin/administration.js'
import type { Arguments } from '../../../examples/atlas-kv/src/resp/arguments.js'
import { commandStep } from '../../../examples/atlas-kv/src/resp/command-table.js'
import { ReplyWriter } from '../../../examples/atlas-kv/src/resp/reply-writer.js'
import type { ClientPresence } from '../../../examples/atlas-kv/src/resp/step.js'
import type { Session } from '../../../examples/atlas-kv/src/resp/session.js'
import { kvCommandCodec } from '../../../examples/atlas-kv/src/state-machine/command-codec.js'
import { KvStateMachine } from '../../../examples/atlas-kv/src/state-machine/kv-state-machine.js'

export const STATUS = {
  id: 'node-1',
  clusterId: 'cluster',
  role: 'leader' as const,
  suffrage: 'voter' as const,
  ready: true,
  quorumOk: true,
  leaderContactMs: null,
  leader: { id: 'node-1', address: '127.0.0.1:7000', suffrage: 'voter' as const },
  currentTerm: 3,
  votedFor: 'node-1',
  firstIndex: 1,
  lastIndex: 9,
  persistedIndex: 9,
  commitIndex: 8,
  lastApplied: 7,
  snapshotIndex: 0,
  configuration: {
    members: [
      { id: 'node-1', address: '127.0.0.1:7000', suffrage: 'voter' as const },
      { id: 'node-2', address: '127.0.0.1:7001', suffrage: 'voter' as const },
    ],
    votersOutgoing: [],
  },
  leaseRemainingMs: 0,
  pendingProposals: 2,
  uncommittedBytes: 0,
  peers: [{ id: 'node-2', state: 'replicate' as const, nextIndex: 9, matchIndex: 6, inflight: 1, lastContactMs: 12.4 }],
  explanation: null,
}

export class CommandRunner {
  readonly machine = new KvStateMachine()
  readonly writer = new ReplyWriter()
  readonly session: Session
  timestamp = 1_000_000
  /** What the node says of replicas. */
  replicas: (index: number, count: number, options: CallOptions) => Promise<number> = async () => 2
  client: ClientPresence = { ended: new AbortController().signal, closed: new AbortController().signal }
  #index = 0

  constructor(status: object = STATUS, admin?: Administration) {
    const self = this
    this.session = {
      id: 7,
      address: '127.0.0.1:5000',
      localAddress: '127.0.0.1:6379',
      connectedAt: 0,
      name: '',
      libraryName: '',
      libraryVersion: '',
      lastCommand: '',
      protocol: 2,
      isClosing: false,
      readConsistency: null,
      lastWriteIndex: 0,
      host: {
        version: '0.1.0',
        settings: { port: 6379, readConsistency: 'linearizable', followerWrites: 'forward' },
        isLoading: false,
        get state() {
          return self.machine.state
        },
        admin: admin ?? new Administration({ node: { status: () => status } as never }),
        now: () => 5_000,
        status: () => status as never,
        replicas: (...asked) => this.replicas(...asked),
        sessions: () => [this.session],
        report: () => {},
        counters: { connectionsReceived: 1, connectionsRejected: 0, commandsProcessed: 0 },
      },
    }
  }

  /** The bytes of the reply, latin-1. */
  run(args: Arguments): string {
    const step = commandStep(args, this.session)
    if (step.kind === 'answer') step.reply(this.writer)
    else if (step.kind === 'call') throw new Error('a call is no command of this runner')
    else if (step.kind === 'read') step.reply(this.writer, step.query(this.machine.state, this.timestamp))
    else {
      const command = kvCommandCodec.decode(kvCommandCodec.encode(step.command))
      const context = { index: ++this.#index, term: 1, timestamp: this.timestamp }
      step.reply(this.writer, this.machine.apply(command, context))
    }
    return this.writer.take().toString('latin1')
  }

  /** The bytes of the reply of a command that may have to wait. */
  async ask(...args: readonly string[]): Promise<string> {
    const step = commandStep(
      args.map((arg) => Buffer.from(arg, 'latin1')),
      this.session,
    )
    if (step.kind !== 'call') return this.send(...args)
    const reply = await step.run(this.client)
    reply(this.writer)
    return this.writer.take().toString('latin1')
  }

  send(...args: readonly string[]): string {
    return this.run(args.map((arg) => Buffer.from(arg, 'latin1')))
  }
}
