// One node of the counter, in a process of its own, over LevelDB, files and TCP; it does what it is told by IPC. Run on the built
// package, by its public names.
import { RaftNode } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { flightRecorder } from 'helios-raft/testing'

/** Adds 1 for each command; its result is the sum. */
class Counter {
  value = 0
  apply = () => (this.value += 1)
  async *snapshot() {
    yield new TextEncoder().encode(`${this.value}`)
  }
  async restore(chunks) {
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk, { stream: true })
    this.value = Number(text)
  }
}

const counter = new Counter()
const sessions = new Map()
let node

const handlers = {
  async listen({ listen }) {
    this.transport = new TcpTransport({ listen })
    return await this.transport.listen()
  },
  async start({ id, directory, bootstrap, flight }) {
    node = new RaftNode({
      id,
      bootstrap,
      stateMachine: counter,
      transport: this.transport,
      ...levelStorage({ directory }),
      electionTimeoutMs: 300,
      heartbeatIntervalMs: 100,
      // Often, so that answers have to travel in snapshots too.
      snapshot: { everyEntries: 200, trailingEntries: 20 },
      instrumentation: flight === undefined ? [] : [flightRecorder({ file: flight })],
    })
    await node.start()
  },
  async open({ id, openedAt, timeoutMs }) {
    const session = await node.openSession(openedAt === 0 ? { id, timeoutMs } : { id, openedAt, timeoutMs })
    sessions.set(id, session)
    return session.openedAt
  },
  async increment({ id, sequence, timeoutMs }) {
    const session = sessions.get(id)
    session.acknowledge(Math.min(session.lastSequence, sequence - 1))
    const { result } = await session.propose(null, { sequence, timeoutMs })
    return result
  },
  async status() {
    const { role, leader, currentTerm } = node.status()
    return { role, leader: leader?.id ?? null, currentTerm }
  },
  async value() {
    return (await node.read(() => counter.value, { timeoutMs: 10_000 })).value
  },
  async stop() {
    await node.stop()
  },
}

process.on('message', ({ call, type, ...args }) => {
  handlers[type](args).then(
    (value) => process.send({ call, value }),
    (error) =>
      process.send({ call, error: { code: error.code ?? 'ERROR', message: error.message, outcome: error.outcome } }),
  )
})
process.on('disconnect', () => process.exit(1))
