// A node of one for tests of the servers: applies at once, remembers how it was called, fails when told to.
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
  leader: { id: string; address: string; suffrage: 'voter' } | null = STATUS.leader
  id = 'node-1'
  /** The leader's wall clock when it appends. */
  wallTime = (): number => 1_000_000
  error: unknown = null
  changes: object = {}
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

  async ready(): Promise<void> {}

  status(): never {
    return { ...STATUS, ...this.changes } as never
  }
}
