// A cluster of processes, driven by requests; one request at a time for each of them.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Load } from './load.js'
import type { LoadRequest, NodeView, Reply, Request, StateKind } from './node-process.js'
import type { Store } from './options.js'

const program = fileURLToPath(new URL('./node-process.js', import.meta.url))

/** Clusters that run: when this process is told to end they go first, and their directories with them. */
const running = new Set<Cluster>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const cluster of running) cluster.end()
    process.kill(process.pid, signal)
  })
}

export interface ClusterOptions {
  readonly nodes: number
  readonly store: Store
  readonly directory: string
  /** @defaultValue 'counter' */
  readonly state?: StateKind
}

interface Place {
  readonly id: string
  child: ChildProcess
  address: string
}

export class Cluster implements AsyncDisposable {
  readonly #options: ClusterOptions
  readonly #directory: string
  readonly #places: readonly Place[]
  #leader: Place | undefined

  private constructor(options: ClusterOptions, directory: string) {
    this.#options = options
    this.#directory = directory
    const ids = Array.from({ length: options.nodes }, (_, position) => `node-${position + 1}`)
    this.#places = ids.map((id) => ({ id, child: this.#fork(id), address: '' }))
  }

  /** Resolves when a leader is known to all. The directory is made here and removed at the end. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const directory = resolve(options.directory, `cluster-${process.pid}`)
    mkdirSync(directory, { recursive: true })
    const cluster = new Cluster(options, directory)
    running.add(cluster)
    try {
      const places = cluster.#places
      const replies = await Promise.all(places.map(({ child }) => next(child, 'listening')))
      for (const [at, place] of places.entries()) place.address = replies[at]?.address ?? ''
      const started = await Promise.all(places.map((place) => cluster.#startNode(place, { untilReady: true })))
      cluster.#leader = places[started.findIndex(({ isLeader }) => isLeader)] ?? places[0]
      return cluster
    } catch (error) {
      cluster.end()
      throw error
    }
  }

  /** The calls are made in the leader's process. */
  async load(request: LoadRequest): Promise<Load> {
    return (await ask(this.#leaderPlace.child, { type: 'load', ...request }, 'load')).load
  }

  /** The load that is under way ends soon. */
  async endLoad(): Promise<void> {
    await ask(this.#leaderPlace.child, { type: 'endLoad' }, 'loadEnds')
  }

  get leader(): string {
    return this.#leaderPlace.id
  }

  /** Those that don't lead. */
  get followers(): readonly string[] {
    return this.#places.filter((place) => place !== this.#leader).map(({ id }) => id)
  }

  async status(id: string): Promise<NodeView> {
    return (await ask(this.#place(id).child, { type: 'status' }, 'status')).status
  }

  /** At once, as by a power cut of its process. */
  async kill(id: string): Promise<void> {
    const { child } = this.#place(id)
    const exit = new Promise((gone) => child.once('exit', gone))
    child.kill('SIGKILL')
    await exit
  }

  /** What was killed is started again where it was. Resolves before it serves. */
  async restart(id: string): Promise<void> {
    const place = this.#place(id)
    place.child = this.#fork(id, place.address)
    await next(place.child, 'listening')
    await this.#startNode(place, { untilReady: false })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const living = this.#places.filter(({ child }) => child.connected)
    await Promise.all(living.map(({ child }) => ask(child, { type: 'stop' }, 'stopped'))).finally(() => this.end())
  }

  /** At once, whatever the nodes are doing. */
  end(): void {
    running.delete(this)
    for (const { child } of this.#places) child.kill('SIGKILL')
    // A killed process may still be writing its last file.
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }

  #fork(id: string, listen?: string): ChildProcess {
    const { store, state = 'counter' } = this.#options
    return fork(program, [id, store, join(this.#directory, id), state, ...(listen === undefined ? [] : [listen])])
  }

  async #startNode({ child }: Place, how: { untilReady: boolean }): Promise<Extract<Reply, { type: 'started' }>> {
    const bootstrap = this.#places.map(({ id, address }) => ({ id, address }))
    return await ask(child, { type: 'start', bootstrap, ...how }, 'started')
  }

  #place(id: string): Place {
    const place = this.#places.find((each) => each.id === id)
    if (place === undefined) throw new Error(`there is no node ${id}`)
    return place
  }

  get #leaderPlace(): Place {
    if (this.#leader === undefined) throw new Error('the cluster is not started')
    return this.#leader
  }
}

function ask<T extends Reply['type']>(
  child: ChildProcess,
  request: Request,
  type: T,
): Promise<Extract<Reply, { type: T }>> {
  const reply = next(child, type)
  child.send(request)
  return reply
}

function next<T extends Reply['type']>(child: ChildProcess, type: T): Promise<Extract<Reply, { type: T }>> {
  return new Promise((resolveReply, reject) => {
    function onMessage(reply: Reply): void {
      if (reply.type !== type) return
      child.off('message', onMessage).off('exit', onExit)
      resolveReply(reply as Extract<Reply, { type: T }>)
    }
    function onExit(code: number | null, signal: string | null): void {
      reject(new Error(`a node's process ended with ${code ?? signal} before it answered '${type}'`))
    }
    child.on('message', onMessage).on('exit', onExit)
  })
}
