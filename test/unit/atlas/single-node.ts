// A node of one for tests of the servers: applies at once, remembers how it was called, fails when told to.
import type { CallOptions, Configuration, Member, MembershipOptions, MemberSpec, MemberUpdate } from 'helios-raft'
import { RaftError } from 'helios-raft'
import type { Hono } from 'hono'
import { Administration } from '../../../examples/atlas-kv/src/admin/administration.js'
import { createHttpApp } from '../../../examples/atlas-kv/src/http/http-app.js'
import { Writer } from '../../../examples/atlas-kv/src/server/writer.js'
import { kvCommandCodec } from '../../../examples/atlas-kv/src/state-machine/command-codec.js'
import type { KvCommand, KvResult } from '../../../examples/atlas-kv/src/state-machine/command.js'
import { KvStateMachine } from '../../../examples/atlas-kv/src/state-machine/kv-state-machine.js'
import { STATUS } from './resp-commands.js'

export class SingleNode {
  readonly machine = new KvStateMachine()
  /** What was called, in order: the types of a proposal's commands, or `read`. */
  readonly calls: (readonly string[] | 'read')[] = []
  readonly readOptions: unknown[] = []
  isLeader = true
  leader: Member | null = STATUS.leader
  id = 'node-1'
  /** The leader's wall clock when it appends. */
  wallTime = (): number => 1_000_000
  error: unknown = null
  /** How many voters hold a write, this one included; and what was asked: index, count, options. */
  held = 2
  readonly replicaCalls: (readonly [number, number, CallOptions])[] = []
  readonly writer = new Writer({ node: this as never, now: () => 0 })
  changes: object = {}
  readonly admin = new Administration({ node: this as never, patienceMs: 10 })
  /** What `status().configuration` holds; null for that of STATUS. */
  members: readonly Member[] = STATUS.configuration.members
  /** What the calls of an operator were, in order. */
  readonly wishes: (readonly unknown[])[] = []
  /** Rejects the wishes, one after the other. */
  readonly refusals: unknown[] = []
  /** Awaited before anything is applied. */
  gate: Promise<void> = Promise.resolve()
  #index = 0

  async proposeMany(commands: readonly KvCommand[]): Promise<{ index: number; term: number; result: KvResult }[]> {
    this.calls.push(commands.map((command) => command.type))
    const encoded = commands.map((command) => kvCommandCodec.encode(command))
    await this.gate
    if (this.error !== null) throw this.error
    return encoded.map((data) => {
      const context = { index: ++this.#index, term: 1, timestamp: this.wallTime() }
      return { ...context, result: this.machine.apply(kvCommandCodec.decode(data), context) }
    })
  }

  async propose(command: KvCommand): Promise<{ index: number; term: number; result: KvResult }> {
    const [proposed] = await this.proposeMany([command])
    if (proposed === undefined) throw new Error('nothing was proposed')
    return proposed
  }

  async read<T>(query: () => T, options?: unknown): Promise<{ value: Awaited<T>; index: number }> {
    this.calls.push('read')
    this.readOptions.push(options)
    await this.gate
    if (this.error !== null) throw this.error
    return { value: await query(), index: this.#index }
  }

  async replicas(index: number, count: number, options: CallOptions): Promise<number> {
    this.replicaCalls.push([index, count, options])
    await this.gate
    if (options.signal?.aborted === true) throw new RaftError('RAFT_ABORTED', 'x')
    if (this.error !== null) throw this.error
    return this.held
  }

  async ready(): Promise<void> {}

  addMember(spec: MemberSpec): Promise<Configuration> {
    const member: Member = { ...spec, suffrage: spec.suffrage ?? 'voter' }
    return this.#wish(['add', spec], [...this.members.filter(({ id }) => id !== spec.id), member])
  }

  promote(id: string): Promise<Configuration> {
    return this.#wish(['promote', id], this.#with(id, 'voter'))
  }

  demote(id: string): Promise<Configuration> {
    return this.#wish(['demote', id], this.#with(id, 'learner'))
  }

  updateMember(id: string, changes: MemberUpdate): Promise<Configuration> {
    const { address } = changes
    const members = this.members.map((member) =>
      member.id === id && address !== undefined ? { ...member, address } : member,
    )
    return this.#wish(['update', id, changes], members)
  }

  removeMember(id: string, { force = false }: MembershipOptions = {}): Promise<Configuration> {
    return this.#wish(
      force ? ['remove', id, 'force'] : ['remove', id],
      this.members.filter((member) => member.id !== id),
    )
  }

  async transferLeadership(to?: string): Promise<void> {
    await this.#wish(['transfer', to], this.members)
  }

  async takeSnapshot(): Promise<{ lastIncludedIndex: number; lastIncludedTerm: number }> {
    await this.#wish(['snapshot'], this.members)
    return { lastIncludedIndex: 7, lastIncludedTerm: 3 }
  }

  async #wish(wish: readonly unknown[], members: readonly Member[]): Promise<Configuration> {
    this.wishes.push(wish)
    await this.gate
    const refusal = this.refusals.shift()
    if (refusal !== undefined) throw refusal
    this.members = members
    return { members, votersOutgoing: [] }
  }

  #with(id: string, suffrage: Member['suffrage']): readonly Member[] {
    return this.members.map((member) => (member.id === id ? { ...member, suffrage } : member))
  }

  status(): never {
    const configuration = { members: this.members, votersOutgoing: [] }
    return { ...STATUS, configuration, ...this.changes } as never
  }
}

/** The routes of HTTP over it; `report` is told of errors that nobody expected. */
export function httpAppOf(node: SingleNode, report: (error: unknown) => void = () => {}): Hono {
  return createHttpApp({
    node: node as never,
    writer: node.writer,
    machine: node.machine,
    admin: node.admin,
    version: '0.1.0',
    readConsistency: 'linearizable',
    address: { host: '127.0.0.1', port: 8080 },
    commandBytes: 1024,
    report,
  })
}
