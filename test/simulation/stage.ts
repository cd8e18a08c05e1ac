// A simulated cluster on which a test does things by hand: who leads, a proposal, a while that passes, everybody equal. The
// simulator's own judge watches every event; here is only what its fault plans and workloads don't tell.
import { expect } from 'vitest'
import type { ApplyContext, StateMachine, Transport } from 'helios-raft'
import { bytesCodec } from '../../src/codec/bytes.js'
import { Cluster } from '../../src/testing/cluster.js'
import { healAll } from '../../src/testing/liveness.js'
import { SimulationRandom } from '../../src/testing/prng.js'
import type { TraceWriter } from '../../src/testing/trace/trace-writer.js'
import type { SimulatedProcess } from '../../src/testing/simulated-process.js'

export const ELECTION_TIMEOUT_MS = 150

/** Remembers every command and where it stood. */
export class Recorder implements StateMachine<Uint8Array, number> {
  readonly applied: string[] = []
  readonly apply = (command: Uint8Array, { index }: ApplyContext): number => {
    return this.applied.push(`${index}: ${new TextDecoder().decode(command)}`)
  }
  async *snapshot(): AsyncIterable<Uint8Array> {}
  async restore(): Promise<void> {}
}

export type Process = SimulatedProcess<Uint8Array, number, Recorder>

export class Stage {
  readonly cluster: Cluster<Uint8Array, number, Recorder>
  readonly random: SimulationRandom
  /** By term: who sent AppendEntries or heartbeats of it. */
  readonly senders = new Map<number, Set<string>>()
  /** Commands whose proposal resolved. */
  readonly acknowledged: string[] = []
  #proposals = 0
  readonly #seed: bigint

  constructor(voters: number, seed: bigint, traceWriter: TraceWriter | null = null) {
    this.#seed = seed
    this.random = new SimulationRandom(seed)
    this.cluster = new Cluster({
      shape: { voters, options: { electionTimeoutMs: ELECTION_TIMEOUT_MS, heartbeatIntervalMs: 50 } },
      stateMachine: () => new Recorder(),
      codec: bytesCodec,
      random: this.random,
      traceWriter,
      wrappers: { transport: (transport, { id }) => this.#watched(transport, id) },
    })
  }

  get ids(): readonly string[] {
    return this.cluster.ids
  }

  /** The most nodes that are no majority. */
  get minority(): number {
    return Math.ceil(this.ids.length / 2) - 1
  }

  async run(ms: number): Promise<void> {
    await this.cluster.run(this.cluster.nowMs + ms)
    this.check()
  }

  /** Fails the test when the judge saw a rule broken; names the seed. */
  check(): void {
    expect(this.cluster.invariants.violation, `seed ${this.#seed}`).toBeNull()
  }

  /** Runs until one of `among` leads the latest term. */
  async leader(among: readonly string[] = this.ids): Promise<Process> {
    const { cluster } = this
    if (cluster.invariants.configurations.newest === null) await cluster.untilFounded()
    const isLed = () => cluster.leader !== null && among.includes(cluster.leader.id)
    await cluster.run(cluster.nowMs + 40 * ELECTION_TIMEOUT_MS, isLed)
    this.check()
    if (cluster.leader === null || !isLed()) throw new Error(`seed ${this.#seed}: nobody of ${among.join()} leads`)
    return cluster.leader
  }

  /** Proposes one command more on a process; whether it is acknowledged is seen later. */
  propose(on: Process): string {
    const command = `command ${++this.#proposals}`
    const proposal = on.current?.node.propose(new TextEncoder().encode(command), { timeoutMs: 60_000 })
    proposal?.then(
      () => void this.acknowledged.push(command),
      () => undefined,
    )
    return command
  }

  /** Runs until the command was acknowledged. */
  async commit(on: Process): Promise<string> {
    const command = this.propose(on)
    await this.cluster.run(this.cluster.nowMs + 20 * ELECTION_TIMEOUT_MS, () => this.acknowledged.includes(command))
    this.check()
    expect(this.acknowledged, `seed ${this.#seed}`).toContain(command)
    return command
  }

  applied(id: string): readonly string[] {
    return this.cluster.process(id)?.current?.stateMachine.applied ?? []
  }

  /** Commands that a node applied, without their places. */
  commands(id: string): readonly string[] {
    return this.applied(id).map((line) => line.slice(line.indexOf(': ') + 2))
  }

  /** Everything is healed and up; runs until all applied the same and hold the same log. */
  async agree(): Promise<void> {
    healAll(this.cluster)
    await this.commit(await this.leader())
    const { lastIndex } = this.cluster.invariants.committed
    const isBehind = () =>
      this.cluster.processes.some(({ current }) => (current?.witness.state?.lastApplied ?? 0) < lastIndex)
    await this.cluster.run(this.cluster.nowMs + 20 * ELECTION_TIMEOUT_MS, () => !isBehind())
    this.check()
    const [first = '', ...others] = this.ids
    for (const id of others) {
      expect(this.applied(id), `${id}, seed ${this.#seed}`).toEqual(this.applied(first))
      const [log, firstLog] = [id, first].map((one) => {
        return this.cluster
          .process(one)
          ?.disk.entries.slice(0, lastIndex)
          .map(({ index, term }) => `${index}:${term}`)
      })
      expect(log, `${id}, seed ${this.#seed}`).toEqual(firstLog)
    }
    expect(new Set(this.commands(first)).size).toBe(this.commands(first).length)
    for (const command of this.acknowledged) expect(this.commands(first), `seed ${this.#seed}`).toContain(command)
  }

  #watched(transport: Transport, id: string): Transport {
    return {
      maxMessageBytes: transport.maxMessageBytes,
      start: (local) => transport.start(local),
      stop: () => transport.stop(),
      send: (to, message) => {
        const { type, term } = message
        if (type === 'appendEntries' || type === 'heartbeat') {
          this.senders.set(term, (this.senders.get(term) ?? new Set()).add(id))
        }
        transport.send(to, message)
      },
    }
  }
}
