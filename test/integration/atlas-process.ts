// Real processes of Atlas KV for the integration tests: start, watch, kill, and never leave one behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const EXAMPLE = fileURLToPath(new URL('../../examples/atlas-kv/', import.meta.url))

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One process of a program in `examples/atlas-kv/bin`. */
export class AtlasProcess {
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''
  #watchers = new Set<() => void>()

  constructor(program: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    if (!existsSync(join(EXAMPLE, 'dist/main.js'))) throw new Error('not built: run `npm run build` first')
    const { HELIOS_RAFT_PEERS: _, ...environment } = process.env
    this.child = spawn(process.execPath, [join(EXAMPLE, 'bin', program), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      cwd: options.cwd ?? tmpdir(),
      env: { ...environment, ...options.env },
    })
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
      this.#wake()
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
      this.#wake()
    })
    this.exited = this.#ended()
    void this.exited.then(() => this.#wake())
    running.add(this)
  }

  /** Waits until a text has been printed; rejects when the process ends without it. */
  async says(text: string | RegExp): Promise<void> {
    const matches = (): boolean => (typeof text === 'string' ? this.stdout.includes(text) : text.test(this.stdout))
    while (!matches()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without ${text}:\n${this.stdout}\n${this.stderr}`)
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve))
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.child.kill(signal)
    const exit = await this.exited
    running.delete(this)
    return exit
  }

  /** Not the event 'close': that one waits for the channel, too. */
  async #ended(): Promise<Exit> {
    const streams = [this.child.stdout, this.child.stderr].map(async (stream) => stream && (await once(stream, 'end')))
    const [code, signal] = (await once(this.child, 'exit')) as [number | null, NodeJS.Signals | null]
    await Promise.all(streams)
    return { code, signal }
  }

  #wake(): void {
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const resolve of watchers) resolve()
  }
}

const running = new Set<AtlasProcess>()
const directories: string[] = []

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'atlas-test-'))
  directories.push(directory)
  return directory
}

/** For afterEach: ends what still runs and removes what was written. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...running].map((process) => process.kill()))
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
}

/** Ports that were free a moment ago and differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export interface AtlasNode {
  readonly id: string
  readonly resp: number
  readonly raft: number
  readonly http: number
}

/** Of what a node says of itself. */
export interface AtlasStatus {
  readonly role: string
  readonly suffrage: string
  readonly currentTerm: number
  readonly votedFor: string | null
  readonly commitIndex: number
  readonly lastIndex: number
  readonly leader: { readonly id: string } | null
  readonly explanation: string | null
}

/** Three nodes in one directory, each startable again, and those that join them. */
export class AtlasCluster {
  readonly #nodes: AtlasNode[]
  readonly processes = new Map<string, AtlasProcess>()
  readonly #directory = temporaryDirectory()
  readonly #extra: readonly string[]

  private constructor(nodes: readonly AtlasNode[], extra: readonly string[]) {
    this.#nodes = [...nodes]
    this.#extra = extra
  }

  static async start(extra: readonly string[] = []): Promise<AtlasCluster> {
    const cluster = await AtlasCluster.listed(extra)
    cluster.startAll()
    await cluster.ready()
    return cluster
  }

  /** Three nodes that know of each other, none of them started. */
  static async listed(extra: readonly string[] = []): Promise<AtlasCluster> {
    const ports = await freePorts(9)
    const port = (i: number): number => ports[i] ?? 0
    const nodes = [0, 1, 2].map((i) => ({
      id: `node-${i + 1}`,
      resp: port(3 * i),
      raft: port(3 * i + 1),
      http: port(3 * i + 2),
    }))
    return new AtlasCluster(nodes, extra)
  }

  /** Those that have ever been started. */
  get nodes(): readonly AtlasNode[] {
    return this.#nodes
  }

  startAll(): void {
    for (const { id } of this.nodes) this.startNode(id)
  }

  /** Starts a node and waits until it is one of the others. @param member - HTTP or RESP port of a member */
  async join(id: string, member: number): Promise<void> {
    const [resp = 0, raft = 0, http = 0] = await freePorts(3)
    this.#nodes.push({ id, resp, raft, http })
    await this.rejoin(id, member)
  }

  /** The same, for one that was one of them before, at its old place. */
  async rejoin(id: string, member: number): Promise<void> {
    await this.startJoining(id, member).says('Joined the cluster')
  }

  /** Starts it so that it asks to be added, and no more. */
  startJoining(id: string, member: number): AtlasProcess {
    return this.#start(id, `--raft-join=127.0.0.1:${member}`)
  }

  startNode(id: string): AtlasProcess {
    const peers = this.nodes.filter((peer) => peer.id !== id).map((peer) => `${peer.id}:127.0.0.1:${peer.raft}`)
    return this.#start(id, `--raft-peers=${peers.join(',')}`)
  }

  #start(id: string, company: string): AtlasProcess {
    const node = this.node(id)
    const process = new AtlasProcess('helios-atlasd.js', [
      `--raft-node-id=${id}`,
      `--listen=127.0.0.1:${node.resp}`,
      `--raft-addr=127.0.0.1:${node.raft}`,
      `--http=127.0.0.1:${node.http}`,
      company,
      `--data-dir=${this.directory(id)}`,
      '--election-timeout=300ms',
      '--heartbeat-interval=50ms',
      ...this.#extra,
    ])
    this.processes.set(id, process)
    return process
  }

  directory(id: string): string {
    return join(this.#directory, id)
  }

  /** A new disk. The node must not run. */
  wipe(id: string): void {
    rmSync(this.directory(id), { recursive: true, force: true })
  }

  node(id: string): AtlasNode {
    const node = this.nodes.find((candidate) => candidate.id === id)
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  async kill(id: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    const process = this.processes.get(id)
    this.processes.delete(id)
    return process === undefined ? { code: 0, signal: null } : process.kill(signal)
  }

  /** Waits until each running node would serve a linearizable read. */
  async ready(): Promise<void> {
    for (const id of this.processes.keys()) {
      await poll(async () => (await fetch(`http://127.0.0.1:${this.node(id).http}/readyz`)).status === 200)
    }
  }

  async leader(): Promise<string> {
    for (;;) {
      for (const id of this.processes.keys()) {
        const status = await this.status(id)
        if (status.role === 'leader') return id
      }
    }
  }

  async status(id: string): Promise<AtlasStatus> {
    return (await (await fetch(`http://127.0.0.1:${this.node(id).http}/admin/status`)).json()) as never
  }
}

/** Asks again until it holds; the test's own deadline ends it. A refused connection is a no. */
export async function poll(holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    try {
      if (await holds()) return
    } catch {
      // Not up yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
