// Three voters over stores that outlive them, which compact their logs early and send snapshots byte by byte, so that a test
// can stop, lose or change any chunk on its way.
import { founded } from '../../support/founded.js'
import {
  bytesCodec,
  type Codec,
  decodeMessage,
  encodeMessage,
  type Logger,
  MemoryLogStore,
  MemorySnapshotStore,
  type Message,
  RaftNode,
  type SnapshotMeta,
} from 'helios-raft'
import type { InstallSnapshot } from 'helios-raft/core'
import { ManualClock, type Sent, TestNetwork } from './harness.js'
import { ByteList, type LogLine } from './snapshot-stage.js'

const IDS = ['a', 'b', 'c'] as const

interface Member {
  readonly node: RaftNode<Uint8Array, number>
  readonly machine: ByteList
  readonly lines: LogLine[]
  readonly installed: SnapshotMeta[]
}

export class TransferStage {
  readonly clock = new ManualClock()
  readonly network: TestNetwork = new TestNetwork(this.clock)
  readonly logStores = new Map<string, MemoryLogStore>()
  readonly snapshotStores = new Map<string, MemorySnapshotStore>()
  readonly members = new Map<string, Member>()
  readonly #everyEntries: number

  constructor({ everyEntries = 10 }: { readonly everyEntries?: number } = {}) {
    this.#everyEntries = everyEntries
    for (const id of IDS) {
      this.logStores.set(id, new MemoryLogStore())
      this.snapshotStores.set(id, new MemorySnapshotStore())
    }
  }

  member(id: string): Member {
    return this.members.get(id)!
  }

  get leader(): Member & { readonly id: string } {
    const [id, member] = [...this.members].find(([, { node }]) => node.isLeader)!
    return { id, ...member }
  }

  /** The first follower that runs. */
  get followerId(): string {
    return [...this.members].find(([, { node }]) => !node.isLeader && node.status().role === 'follower')![0]
  }

  async start(): Promise<this> {
    for (const id of IDS) await this.startNode(id)
    await this.until(() => [...this.members.values()].every(({ node }) => node.status().ready))
    return this
  }

  /** A new life over the stores of `id`. */
  async startNode(id: string): Promise<Member> {
    const machine = new ByteList()
    const lines: LogLine[] = []
    const say = (level: string) => (fields: object, message: string) =>
      void lines.push({ level, message, fields: { ...fields } })
    const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    const node = new RaftNode<Uint8Array, number>({
      id,
      bootstrap: IDS.map((member) => ({ id: member, address: `${member}:1` })),
      ...founded(...IDS),
      logStore: this.logStores.get(id)!,
      snapshotStore: this.snapshotStores.get(id)!,
      transport: this.network.transport(id),
      stateMachine: machine,
      codec: bytesCodec as Codec<Uint8Array>,
      clock: this.clock,
      seed: id.charCodeAt(0),
      electionTimeoutMs: 150,
      heartbeatIntervalMs: 50,
      snapshot: { everyEntries: this.#everyEntries, trailingEntries: 2 },
      limits: { snapshotChunkBytes: 1 },
      logger,
    })
    const installed: SnapshotMeta[] = []
    node.on('snapshot', (meta, origin) => void (origin === 'leader' && installed.push(meta)))
    const member = { node, machine, lines, installed }
    this.members.set(id, member)
    await node.start()
    return member
  }

  /** Stops a follower, writes until the log no longer holds what it needs, and gives its id. */
  async leaveBehind(values = 30): Promise<string> {
    const id = this.followerId
    await this.stop(id)
    for (let value = 1; value <= values; value++) await this.propose(value)
    await this.until(() => this.leader.node.status().firstIndex > 10)
    return id
  }

  stop(id: string): Promise<void> {
    return this.settled(this.member(id).node.stop({ transferMs: 0 }))
  }

  async propose(value: number): Promise<void> {
    await this.settled(this.leader.node.propose(Uint8Array.of(value)))
  }

  /** Everybody who runs has applied what the leader has, and holds the same. */
  async converge(): Promise<void> {
    const { node, machine } = this.leader
    const running = () => [...this.members.values()].filter((member) => member.node.status().role !== 'stopped')
    await this.until(() => running().every((member) => member.node.status().lastApplied >= node.status().lastIndex))
    for (const member of running()) {
      if (member.machine.values.join() === machine.values.join()) continue
      throw new Error(`${member.node.id} holds ${member.machine.values.join()}, not ${machine.values.join()}`)
    }
  }

  async until(condition: () => boolean, withinMs = 10_000): Promise<void> {
    const end = this.clock.now() + withinMs
    while (!condition()) {
      if (this.clock.now() > end) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`)
      await this.clock.run(1)
    }
  }

  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => void (isSettled = true)
    promise.then(settle, settle)
    await this.until(() => isSettled)
    return promise
  }

  /** Chunks that were sent to `id`, questions without bytes left out. */
  chunksTo(id: string): readonly InstallSnapshot[] {
    const messages = this.network.sent.filter(({ to }) => to === id).map(({ message }) => message)
    return messages.filter((message) => message.type === 'installSnapshot').filter(({ chunk }) => chunk.length > 0)
  }

  /** What matches is lost, and something else comes in its place where `change` gives it. */
  meddle(change: (message: Message, sent: Sent) => Message | null | undefined): void {
    this.network.isLost = (sent) => {
      const changed = change(sent.message, sent)
      if (changed === undefined) return false
      if (changed === null) return true
      const copy = decodeMessage(encodeMessage(changed))
      this.clock.schedule(this.clock.now() + 1, () => this.network.inject(sent.from, sent.to, copy))
      return true
    }
  }
}
