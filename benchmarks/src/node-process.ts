// One node of the measured cluster, in a process of its own. Its parent tells it over IPC what to do; it ends with it.
// Commands are raw bytes and the state machine only counts, so that the figures are the library's.
import { bytesCodec, memoryStorage, RaftNode, type StateMachine } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { closedLoop, type Load } from './load.js'
import type { Store } from './options.js'

export type Request =
  | { readonly type: 'start'; readonly bootstrap: readonly { readonly id: string; readonly address: string }[] }
  | { readonly type: 'load'; readonly proposers: number; readonly seconds: number; readonly commandBytes: number }
  | { readonly type: 'stop' }

export type Reply =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'ready'; readonly isLeader: boolean }
  | { readonly type: 'load'; readonly load: Load }
  | { readonly type: 'stopped' }

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

const [id = '', store, directory = ''] = process.argv.slice(2) as [string, Store, string]
const transport = new TcpTransport({ listen: '127.0.0.1:0' })
let node: RaftNode<Uint8Array, number> | null = null

async function answer(request: Request): Promise<Reply> {
  switch (request.type) {
    case 'start': {
      const storage = store === 'level' ? levelStorage({ directory }) : memoryStorage()
      const { bootstrap } = request
      node = new RaftNode({ id, stateMachine: new Counter(), codec: bytesCodec, transport, bootstrap, ...storage })
      await node.start()
      await node.ready({ timeoutMs: 30_000 })
      return { type: 'ready', isLeader: node.isLeader }
    }
    case 'load':
      return { type: 'load', load: await load(request) }
    case 'stop':
      await node?.stop()
      return { type: 'stopped' }
  }
}

function load(request: Extract<Request, { type: 'load' }>): Promise<Load> {
  const command = new Uint8Array(request.commandBytes).fill(1)
  const call = () => (node === null ? Promise.reject(new Error('the node is not started')) : node.propose(command))
  return closedLoop({ callers: request.proposers, seconds: request.seconds, call })
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
