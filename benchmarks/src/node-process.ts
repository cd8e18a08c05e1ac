// One node of the measured cluster, in a process of its own. Its parent tells it over IPC what to do; it ends with it.
// Commands are raw bytes and the state machine counts them or keeps the last of each key, so that the figures are the
// library's.
import { bytesCodec, memoryStorage, RaftNode, type StateMachine } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { KeyedState } from './keyed-state.js'
import { closedLoop, type Load } from './load.js'
import type { Store } from './options.js'

export type StateKind = 'counter' | 'keyed'

export type Request =
  | {
      readonly type: 'start'
      readonly bootstrap: readonly { readonly id: string; readonly address: string }[]
      /** Whether the answer waits until the node serves. */
      readonly untilReady: boolean
    }
  | ({ readonly type: 'load' } & LoadRequest)
  /** The load that is under way ends with the calls that it has made. */
  | { readonly type: 'endLoad' }
  | { readonly type: 'status' }
  | { readonly type: 'stop' }

export interface LoadRequest {
  readonly proposers: number
  readonly seconds: number
  readonly commandBytes: number
  /** The commands set these keys, one after the other. @defaultValue they are all the same */
  readonly keys?: number
}

export type Reply =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'started'; readonly isLeader: boolean }
  | { readonly type: 'load'; readonly load: Load }
  | { readonly type: 'loadEnds' }
  | { readonly type: 'status'; readonly status: NodeView }
  | { readonly type: 'stopped' }

/** How far a node is. */
export interface NodeView {
  readonly commitIndex: number
  readonly lastApplied: number
  readonly snapshotIndex: number
  readonly currentTerm: number
  /** Memory that the process holds, bytes. */
  readonly memoryBytes: number
}

class Counter implements StateMachine<Uint8Array, number> {
  #count = 0
  readonly apply = (): number => {
    this.#count += 1
    return this.#count
  }
  async *snapshot(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(String(this.#count))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk)
    this.#count = Number(text)
  }
}

const [id = '', store, directory = '', state, listen = '127.0.0.1:0'] = process.argv.slice(2) as [
  string,
  Store,
  string,
  StateKind,
  string?,
]
const transport = new TcpTransport({ listen })
let node: RaftNode<Uint8Array, number> | null = null
let nextKey = 0
let loadEnd: AbortController | null = null

async function answer(request: Request): Promise<Reply> {
  switch (request.type) {
    case 'start': {
      const storage = store === 'level' ? levelStorage({ directory }) : memoryStorage()
      const { bootstrap, untilReady } = request
      const stateMachine = state === 'keyed' ? new KeyedState() : new Counter()
      node = new RaftNode({ id, stateMachine, codec: bytesCodec, transport, bootstrap, ...storage })
      await node.start()
      if (untilReady) await node.ready({ timeoutMs: 30_000 })
      return { type: 'started', isLeader: node.isLeader }
    }
    case 'load':
      return { type: 'load', load: await load(request) }
    case 'endLoad':
      loadEnd?.abort()
      return { type: 'loadEnds' }
    case 'status':
      return { type: 'status', status: view() }
    case 'stop':
      await node?.stop()
      return { type: 'stopped' }
  }
}

function load(request: Extract<Request, { type: 'load' }>): Promise<Load> {
  const { proposers, seconds, commandBytes, keys } = request
  const same = new Uint8Array(commandBytes).fill(1)
  const command = (): Uint8Array => (keys === undefined ? same : KeyedState.command(nextKey++ % keys, commandBytes))
  const call = () => (node === null ? Promise.reject(new Error('the node is not started')) : node.propose(command()))
  loadEnd = new AbortController()
  return closedLoop({ callers: proposers, seconds, call, signal: loadEnd.signal })
}

function view(): NodeView {
  if (node === null) throw new Error('the node is not started')
  const { commitIndex, lastApplied, snapshotIndex, currentTerm } = node.status()
  return { commitIndex, lastApplied, snapshotIndex, currentTerm, memoryBytes: process.memoryUsage.rss() }
}

function tell(reply: Reply): void {
  process.send?.(reply)
}

process.on('message', (request: Request) => {
  answer(request).then(tell, (error: unknown) => {
    console.error(`node ${id}:`, error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
// The parent ends the run on a Ctrl-C that reaches all of the group.
process.on('SIGINT', () => {})
tell({ type: 'listening', address: await transport.listen() })
