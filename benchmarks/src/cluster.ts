// A cluster of processes, driven by requests; one request at a time for each of them.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Load } from './load.js'
import type { Reply, Request } from './node-process.js'
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

export class Cluster implements AsyncDisposable {
  readonly #children: readonly ChildProcess[]
  readonly #directory: string
  #leader: ChildProcess | undefined

  private constructor(children: readonly ChildProcess[], directory: string) {
    this.#children = children
    this.#directory = directory
  }

  /** Resolves when a leader is known to all. The directory is made here and removed at the end. */
  static async start(options: { nodes: number; store: Store; directory: string }): Promise<Cluster> {
    const directory = resolve(options.directory, `cluster-${process.pid}`)
    mkdirSync(directory, { recursive: true })
    const ids = Array.from({ length: options.nodes }, (_, position) => `node-${position + 1}`)
    const children = ids.map((id) => fork(program, [id, options.store, join(directory, id)]))
    const cluster = new Cluster(children, directory)
    running.add(cluster)
    try {
      const replies = await Promise.all(children.map((child) => next(child, 'listening')))
      const bootstrap = ids.map((id, position) => ({ id, address: replies[position]?.address ?? '' }))
      const ready = await Promise.all(children.map((child) => ask(child, { type: 'start', bootstrap }, 'ready')))
      cluster.#leader = children[ready.findIndex(({ isLeader }) => isLeader)] ?? children[0]
      return cluster
    } catch (error) {
      cluster.end()
      throw error
    }
  }

  /** The calls are made in the leader's process. */
  async load(request: { proposers: number; seconds: number; commandBytes: number }): Promise<Load> {
    if (this.#leader === undefined) throw new Error('the cluster is not started')
    return (await ask(this.#leader, { type: 'load', ...request }, 'load')).load
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => ask(child, { type: 'stop' }, 'stopped'))).finally(() => this.end())
  }

  /** At once, whatever the nodes are doing. */
  end(): void {
    running.delete(this)
    for (const child of this.#children) child.kill('SIGKILL')
    // A killed process may still be writing its last file.
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
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
