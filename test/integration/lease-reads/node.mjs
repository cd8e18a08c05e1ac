// One node of a map of strings, in a process of its own, over LevelDB, files and TCP; it does what it is told by IPC. Run on the
// built package, by its public names.
import { RaftNode } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import { TcpTransport } from 'helios-raft/tcp'
import { CutTransport } from './cut-transport.mjs'
import { SuspendableClock } from './suspendable-clock.mjs'

class Values {
  values = new Map()
  apply = ([key, value]) => void this.values.set(key, value)
  async *snapshot() {
    yield new TextEncoder().encode(JSON.stringify([...this.values]))
  }
  async restore(chunks) {
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk, { stream: true })
    this.values = new Map(JSON.parse(text))
  }
}

const machine = new Values()
let transport
let node

const handlers = {
  async listen({ listen }) {
    transport = new CutTransport(new TcpTransport({ listen }))
    return await transport.listen()
  },
  async start({ id, directory, bootstrap, timings, isSuspendable }) {
    node = new RaftNode({
      ...{ id, bootstrap, transport, stateMachine: machine },
      ...levelStorage({ directory }),
      ...timings,
      ...(isSuspendable ? { clock: new SuspendableClock() } : {}),
      snapshot: { everyEntries: 1_000, trailingEntries: 100 },
    })
    await node.start()
  },
  async set({ key, value, timeoutMs }) {
    await node.propose([key, value], { timeoutMs })
  },
  /** The value, and whether it is certain that it was answered without a round: a lease doesn't end and begin again by itself. */
  async get({ key, ...options }) {
    const before = node.status()
    const { value } = await node.read(() => machine.values.get(key) ?? null, options)
    const after = node.status()
    const isSameTerm = before.currentTerm === after.currentTerm
    const byLease = options.consistency === 'lease' && isSameTerm && hasLease(before) && hasLease(after)
    return { value, byLease, role: after.role }
  },
  async status() {
    const { role, currentTerm, leaseRemainingMs, explanation } = node.status()
    return { role, currentTerm, leaseRemainingMs, explanation }
  },
  async reconfigure({ timings }) {
    node.reconfigure(timings)
  },
  async transfer({ to, timeoutMs }) {
    await node.transferLeadership(to, { timeoutMs })
  },
  async cut({ peers, aboveTerm }) {
    transport.cut(peers, aboveTerm)
  },
  async stop() {
    await node.stop({ transferMs: 0 })
  },
}

function hasLease({ leaseRemainingMs }) {
  return leaseRemainingMs > 0
}

process.on('message', ({ call, type, ...args }) => {
  handlers[type](args).then(
    (value) => process.send({ call, value }),
    ({ code = 'ERROR', message, outcome = 'unknown' }) => process.send({ call, error: { code, message, outcome } }),
  )
})
process.on('disconnect', () => process.exit(1))
