// Clients of the simulator that write through sessions (§8, F18): each has one command at a time, under one number, and repeats
// that number on any node until it is told what became of it, through crashes of the nodes and of itself. The judge compares.
import { isRaftError } from '../errors.js'
import type { Proposed } from '../node/calls.js'
import type { RaftNode } from '../node/raft-node.js'
import type { Session } from '../node/sessions/session.js'
import type { ChainMachine, ChainState } from './chain-machine.js'
import type { Cluster } from './cluster.js'
import type { SimulationRandom } from './prng.js'
import type { SessionJudge } from './session-judge.js'
import type { Incarnation } from './incarnation.js'

export interface SessionSettings {
  readonly clients: number
  readonly thinkMs: readonly [min: number, max: number]
  readonly timeoutMs: readonly [min: number, max: number]
  /** Of the sessions that expire. */
  readonly ttlMs: readonly [min: number, max: number]
  /** Share of the clients whose sessions expire. */
  readonly expiringRatio: number
}

/** Commands of sessions are numbered from here on, beyond those of all other clients. */
export const SESSION_COMMANDS = 0xc000_0000
/** Share of the answered commands whose copies are counted. */
const COUNT_RATIO = 0.1
/** Never in a run. */
const FOREVER_MS = 1e12
/** Calls of one run: a bound on its length. */
const MAX_CALLS = 5_000

type ChainCluster = Cluster<Uint8Array, ChainState, ChainMachine>
type ChainSession = Session<Uint8Array, ChainState>

interface Client {
  readonly name: string
  readonly ttlMs: number
  /** Lives of its session that are over. */
  lives: number
  /** Which life of the session it had; 0 before it had one. */
  openedAt: number
  /** Calls that it began; what an earlier one still finds out is nobody's. */
  turn: number
  /** The session on the node that it used last. */
  held: { readonly node: RaftNode<Uint8Array, ChainState>; readonly session: ChainSession } | null
  /** Number of the last command that is settled. */
  settled: number
  /** Under way: its number in the session and in the run, and whether it was said before. */
  pending: { readonly sequence: number; readonly number: number; isRepeated: boolean } | null
}

export class SessionClients {
  readonly #cluster: ChainCluster
  readonly #judge: SessionJudge
  readonly #settings: SessionSettings
  readonly #random: SimulationRandom
  #commands = 0
  #calls = 0
  #isEnded = false

  constructor(cluster: ChainCluster, judge: SessionJudge, settings: SessionSettings, random: SimulationRandom) {
    this.#cluster = cluster
    this.#judge = judge
    this.#settings = settings
    this.#random = random
  }

  begin(): void {
    const { clients, expiringRatio, ttlMs } = this.#settings
    for (let at = 0; at < clients; at++) {
      const expires = this.#random.chance(expiringRatio)
      const ttl = expires ? this.#random.between(...ttlMs) : FOREVER_MS
      this.#think({
        name: `client-${at}`,
        ttlMs: ttl,
        lives: 0,
        openedAt: 0,
        turn: 0,
        held: null,
        settled: 0,
        pending: null,
      })
    }
  }

  /** No further calls. */
  end(): void {
    this.#isEnded = true
  }

  #think(client: Client): void {
    this.#cluster.timeline.after(this.#random.between(...this.#settings.thinkMs), () => this.#act(client))
  }

  #act(client: Client): void {
    if (this.#isEnded || this.#calls >= MAX_CALLS) return
    this.#calls += 1
    const incarnation = this.#choose(client)
    let isOver = false
    const goOn = (): void => {
      if (isOver) return
      isOver = true
      this.#think(client)
    }
    // The process may die with the call or stand still: the client's own clock has it go on elsewhere.
    const [, longest] = this.#settings.timeoutMs
    this.#cluster.timeline.after(longest * 1.5, goOn)
    if (incarnation === null) return
    incarnation.gate.enter('call', () => {
      if (isOver) return
      this.#call(client, incarnation.node).then(goOn, goOn)
    })
  }

  /** Mostly the node that it used last, while that lives. */
  #choose(client: Client): Incarnation<Uint8Array, ChainState, ChainMachine> | null {
    const candidates = this.#cluster.processes.filter(({ isUp }) => isUp)
    if (candidates.length === 0) return null
    const held = candidates.find(({ current }) => current?.node === client.held?.node)
    const process = held !== undefined && this.#random.chance(0.7) ? held : this.#random.pick(candidates)
    return process.current
  }

  async #call(client: Client, node: RaftNode<Uint8Array, ChainState>): Promise<void> {
    // A client that restarts has nothing but its own notes.
    if (client.held?.node !== node || this.#random.chance(0.1)) client.held = null
    const timeoutMs = this.#random.between(...this.#settings.timeoutMs)
    client.turn += 1
    const { turn } = client
    const session = client.held?.session ?? (await this.#open(client, node, timeoutMs).catch(ended))
    if (client.turn !== turn) return
    if (session === 'expired') return this.#lose(client, 'it is not known any more')
    if (session === 'failed') return
    client.openedAt = session.openedAt
    client.held = { node, session }
    client.pending ??= this.#nextCommand(client, session)
    const { pending } = client
    const command = new Uint8Array(4)
    new DataView(command.buffer).setUint32(0, pending.number)
    const isNext = !pending.isRepeated && session.lastSequence + 1 === pending.sequence
    const number = isNext ? {} : { sequence: pending.sequence }
    pending.isRepeated = true
    try {
      const answer = await session.propose(command, { ...number, timeoutMs })
      this.#onAnswer(client, pending, answer)
      if (this.#random.chance(COUNT_RATIO)) await this.#countReplicas(node, answer.index, timeoutMs)
    } catch (error) {
      this.#onError(client, pending, error)
    }
  }

  /** As many disks hold it as the node says, whoever it asked. */
  async #countReplicas(node: RaftNode<Uint8Array, ChainState>, index: number, timeoutMs: number): Promise<void> {
    const { processes, coverage } = this.#cluster
    const wanted = this.#random.integer(1, processes.length)
    const count = await node.replicas(index, wanted, { timeoutMs })
    coverage.count(count >= wanted ? 'session.replicas' : 'session.fewReplicas')
    this.#judge.counted({ index, count, holders: processes.filter(({ disk }) => disk.lastIndex >= index).length })
  }

  async #open(client: Client, node: RaftNode<Uint8Array, ChainState>, timeoutMs: number): Promise<ChainSession> {
    const id = `${client.name}.${client.lives}`
    const known = client.openedAt === 0 ? {} : { openedAt: client.openedAt }
    const session = await node.openSession({ id, ttlMs: client.ttlMs, timeoutMs, ...known })
    this.#cluster.coverage.count(session.lastSequence > 0 ? 'session.resumed' : 'session.opened')
    // What is settled needs no answer any more; what is pending does.
    session.acknowledge(Math.min(session.lastSequence, client.settled))
    return session
  }

  #nextCommand(client: Client, session: ChainSession): NonNullable<Client['pending']> {
    this.#commands += 1
    const sequence = Math.max(client.settled, session.lastSequence) + 1
    return { sequence, number: SESSION_COMMANDS + this.#commands, isRepeated: false }
  }

  #onAnswer(
    client: Client,
    { sequence, number }: NonNullable<Client['pending']>,
    { index, result }: Proposed<ChainState>,
  ): void {
    // An attempt that was given up may be answered late, when another one was already.
    this.#judge.answered({ number, index, result })
    if (client.pending?.number !== number) return
    this.#cluster.coverage.count('session.answered')
    this.#settle(client, sequence)
  }

  #onError(client: Client, pending: NonNullable<Client['pending']>, error: unknown): void {
    if (!isRaftError(error)) return this.#judge.lost(client.name, String(error))
    if (client.pending?.number !== pending.number) return
    const { coverage } = this.#cluster
    coverage.count(`session.${error.outcome}.${error.code}`)
    // Believed, of a repetition too.
    const isRejected = error.outcome === 'rejected'
    if (error.code === 'RAFT_SESSION_EXPIRED') {
      if (isRejected) this.#judge.rejected(pending.number)
      return this.#lose(client, error.message)
    }
    // Some give up what surely did not happen, and say it under another number.
    if (!isRejected || !this.#random.chance(0.5)) return
    this.#judge.rejected(pending.number)
    this.#settle(client, pending.sequence)
  }

  /** Its session is over, whatever was pending. */
  #lose(client: Client, reason: string): void {
    this.#cluster.coverage.count('session.lost')
    if (client.ttlMs === FOREVER_MS) this.#judge.lost(client.name, reason)
    client.pending = null
    client.held = null
    client.settled = 0
    client.openedAt = 0
    client.lives += 1
  }

  #settle(client: Client, sequence: number): void {
    client.settled = sequence
    client.pending = null
  }
}

function ended(error: unknown): 'expired' | 'failed' {
  return isRaftError(error, 'RAFT_SESSION_EXPIRED') ? 'expired' : 'failed'
}
