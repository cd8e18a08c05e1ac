// The samples of the documentation, run against the built package as they stand there, but for the ports. Each block of
// JavaScript that begins with `// name.mjs` is that file; those of one page lie in one folder.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const children: ChildProcess[] = []
const directories: string[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

describe('samples of the documentation', () => {
  it('the events page prints what it says', async () => {
    const page = 'docs/reference/events-and-status.md'
    const expected = /```text\n([^]*?)```/.exec(readFileSync(join(root, page), 'utf8'))?.[1]
    expect(await run(samplesOf(page), ['events.mjs'])).toEqual({ code: 0, printed: expected })
  })

  it('the suites of the testing page pass on the memory stores and network', async () => {
    const { code, printed } = await run(samplesOf('docs/reference/testing.md'), ['suites.mjs'])
    expect([code, printed]).toEqual([0, 'all three keep their contracts\n'])
  })

  it('the log store of the guide keeps the contract', async () => {
    const { code, printed } = await run(samplesOf('docs/how-to/write-a-log-store.md'), ['--test'])
    expect(printed).toMatch(/^# fail 0$/m)
    expect([code, Number(/^# pass (\d+)$/m.exec(printed)?.[1])]).toEqual([0, expect.toSatisfy((count) => count > 25)])
  })

  it('the transport of the guide keeps the contract', async () => {
    const { code, printed } = await run(samplesOf('docs/how-to/write-a-transport.md'), ['--test'])
    expect(printed).toMatch(/^# fail 0$/m)
    expect([code, Number(/^# pass (\d+)$/m.exec(printed)?.[1])]).toEqual([0, expect.toSatisfy((count) => count > 15)])
  })

  it('the simulation of the guide holds, and finds an apply that is not deterministic', async () => {
    const directory = samplesOf('docs/how-to/run-the-simulator.md')
    const good = await run(directory, ['stock-simulation.mjs'])
    expect([good.code, good.printed.split('\n').length]).toEqual([0, 21])
    const sample = readFileSync(join(directory, 'stock-simulation.mjs'), 'utf8')
    const changed = sample.replace('return { ok: true, count }', 'return { ok: true, count, id: Math.random() }')
    writeFileSync(join(directory, 'bad.mjs'), changed)
    const bad = await run(directory, ['bad.mjs'])
    expect(bad.code).toBe(1)
    expect(bad.printed).toMatch(/SimulationFailure: .* the state machines differ/)
  })

  it('the guide to testing a state machine: its suite, its properties, its model, and what a failure looks like', async () => {
    const page = 'docs/how-to/test-your-state-machine.md'
    const directory = samplesOf(page)
    const suite = await run(directory, ['--test', 'stock.test.mjs'])
    expect(suite.printed).toMatch(/^# fail 0$/m)
    expect([suite.code, Number(/^# pass (\d+)$/m.exec(suite.printed)?.[1])]).toEqual([0, 15])
    expect((await run(directory, ['faults.mjs'])).printed).toBe('the stock survives\n')
    expect((await run(directory, ['model.mjs'])).printed).toBe('the stock is what the model says\n')
    expect((await run(directory, ['by-hand.mjs'])).printed).toBe('true { ok: false, count: 5 }\n')
    expect((await run(directory, ['scheduled.mjs'])).printed).toBe('every order of writes will do\n')
    const sample = readFileSync(join(directory, 'stock.mjs'), 'utf8')
    const lazy = 'for (const pair of this.items) yield new TextEncoder().encode(`${JSON.stringify(pair)} `)'
    const restore = "JSON.parse(`[${(await new Blob(bytes).text()).trim().replaceAll('] [', '],[')}]`)"
    const changed = sample
      .replace(/yield new TextEncoder.*/, lazy)
      .replace('JSON.parse(await new Blob(bytes).text())', restore)
    writeFileSync(join(directory, 'stock.mjs'), changed)
    const once = readFileSync(join(directory, 'stock.test.mjs'), 'utf8')
      .replace("import test from 'node:test'\n", '')
      .replace('testStateMachine(() => new Stock(), { command }, test)', 'ONCE')
    const body =
      'await testStateMachine(() => new Stock(), { command, seed: 1 }).catch(({ message }) => console.log(message))'
    writeFileSync(join(directory, 'once.mjs'), once.replace('ONCE', body))
    const [, failure] = /```text\n(StateMachine: [^]*?)```/.exec(readFileSync(join(root, page), 'utf8')) ?? []
    expect((await run(directory, ['once.mjs'])).printed).toBe(failure)
  }, 120_000)

  it('the guide to embedding starts, proposes and reads, with the store and the transport of the other guides', async () => {
    const directory = samplesOf('docs/how-to/embed.md')
    samplesOf('docs/how-to/write-a-log-store.md', directory)
    samplesOf('docs/how-to/write-a-transport.md', directory)
    writeFileSync(join(directory, 'main.mjs'), CLUSTER)
    const { code, printed } = await run(directory, ['main.mjs'])
    // Between them are the log lines of nodes that see others stop.
    const results = printed.split('\n').filter((line) => /^\w+: /.test(line))
    expect([code, results]).toEqual([0, ['level: 7 7 7 7', 'own: 7 7 7 7']])
  })

  it('the guide to embedding ends the process at a signal, whatever else is open', async () => {
    const directory = samplesOf('docs/how-to/embed.md')
    const [port] = await freePorts(1)
    writeFileSync(join(directory, 'signal.mjs'), SIGNALLED)
    expect(await run(directory, ['signal.mjs', String(port)])).toEqual({ code: 0, printed: 'started\n' })
  }, 30_000)

  it('the guide to backups: what was acknowledged is restored, and another member joins', async () => {
    const page = 'docs/how-to/back-up-and-restore.md'
    const expected = /```text\n([^]*?)```/.exec(readFileSync(join(root, page), 'utf8'))?.[1]
    expect(await run(samplesOf(page), ['drill.mjs'])).toEqual({ code: 0, printed: expected })
  })

  it('the guide to exactly-once clients: what was in doubt is finished on another node, once', async () => {
    const page = 'docs/how-to/exactly-once-clients.md'
    const expected = /```text\n([^]*?)```/.exec(readFileSync(join(root, page), 'utf8'))?.[1]
    expect(await run(samplesOf(page), ['drill.mjs'])).toEqual({ code: 0, printed: expected })
  })

  it('the guide to recording an incident: what a node did is replayed', async () => {
    const page = 'docs/how-to/record-an-incident.md'
    const expected = /```text\n([^]*?)```/.exec(readFileSync(join(root, page), 'utf8'))?.[1]
    const directory = samplesOf(page)
    expect(await run(directory, ['recorded.mjs'])).toEqual({ code: 0, printed: expected })
    expect(await run(directory, ['recorded.mjs', 'a.flight'])).toEqual({ code: 0, printed: expected })
  })

  it('the tutorial: three processes, the leader is killed, and the others know what was acknowledged', async () => {
    const directory = samplesOf('docs/tutorial/first-cluster.md')
    const ports = await freePorts(3)
    const program = readFileSync(join(directory, 'node.mjs'), 'utf8')
    const moved = ports.reduce((text, port, at) => text.replace(String(7201 + at), String(port)), program)
    writeFileSync(join(directory, 'node.mjs'), moved)
    const nodes = ['a', 'b', 'c'].map((id) => new Terminal(id, directory))
    for (const node of nodes) await node.answers('get bolts', /^0$/m)
    await nodes[0]?.answers('add bolts 5', /^\{ ok: true, count: 5 \}$/m)
    await nodes[1]?.answers('take bolts 7', /^\{ ok: false, count: 5 \}$/m)
    const [, leader] = (await nodes[2]?.answers('status', /^ready, the leader is (\w)$/m)) ?? []
    nodes.find(({ id }) => id === leader)?.child.kill('SIGKILL')
    const rest = nodes.filter(({ id }) => id !== leader)
    for (const node of rest) await node.answers('get bolts', /^5$/m)
    for (const { child } of rest) {
      child.stdin?.end()
      expect(await once(child, 'exit')).toEqual([0, null])
    }
  })
})

/** The guide's own functions on two clusters: of the stores and transports that come along, and of the guides'. */
const CLUSTER = `
import { MemorySnapshotStore, RaftNode } from 'helios-raft'
import { TcpTransport } from 'helios-raft/tcp'
import { proposeUntil } from './commands.mjs'
import { FileLogStore } from './file-log-store.mjs'
import { readAfter, readFresh, readLocal, readRecent } from './reads.mjs'
import { startNode } from './service.mjs'
import { SocketTransport } from './socket-transport.mjs'

const summing = () => {
  const machine = { sum: 0, apply: (n) => (machine.sum += n), async *snapshot() {}, async restore() {} }
  return machine
}
async function use(name, nodes, machines) {
  await proposeUntil(nodes[0], 3)
  const { index } = await proposeUntil(nodes[1], 4)
  const sum = (at) => () => machines[at].sum
  const read = [await readFresh(nodes[2], sum(2)), await readAfter(nodes[0], sum(0), index)]
  await nodes[1].ready()
  console.log(name + ':', ...read, await readLocal(nodes[1], sum(1)), await readRecent(nodes[1], sum(1), 60_000))
  for (const node of nodes) await node.stop()
}

const ids = ['a', 'b', 'c']
const probes = ids.map(() => new TcpTransport({ listen: '127.0.0.1:0' }))
const addresses = {}
for (const [at, id] of ids.entries()) addresses[id] = await probes[at].listen()
for (const probe of probes) await probe.stop()
const machines = ids.map(summing)
const start = (id, at) => startNode({ id, addresses, directory: './level-' + id, stateMachine: machines[at] })
await use('level', await Promise.all(ids.map(start)), machines)

const transports = ids.map(() => new SocketTransport())
const bootstrap = []
for (const [at, id] of ids.entries()) bootstrap.push({ id, address: '127.0.0.1:' + (await transports[at].listen(0)) })
const others = ids.map(summing)
const nodes = ids.map((id, at) => {
  const stores = { logStore: new FileLogStore('./own-' + id), snapshotStore: new MemorySnapshotStore() }
  return new RaftNode({ id, stateMachine: others[at], transport: transports[at], bootstrap, ...stores })
})
for (const node of nodes) await node.start()
await use('own', nodes, others)
`

/** A program with something open that never ends, which is told to end. */
const SIGNALLED = `
import { startNode } from './service.mjs'

const stateMachine = { apply: (n) => n, async *snapshot() {}, async restore() {} }
setInterval(() => {}, 1_000_000)
await startNode({ id: 'a', addresses: { a: '127.0.0.1:' + process.argv[2] }, directory: './signalled', stateMachine })
console.log('started')
process.kill(process.pid, 'SIGINT')
`

/** One process of the tutorial, and what it prints. */
class Terminal {
  readonly id: string
  readonly child: ChildProcess
  #printed = ''

  constructor(id: string, cwd: string) {
    this.id = id
    this.child = spawn(process.execPath, ['node.mjs', id], { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    children.push(this.child)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#printed += chunk.toString()
      })
    }
  }

  /** Types a line and waits for its answer. A question is asked again while an election is under way, a command is not. */
  async answers(line: string, due: RegExp): Promise<RegExpExecArray> {
    const most = /^(get|status)/.test(line) ? 5 : 1
    for (let tries = 0; tries < most; tries++) {
      this.#printed = ''
      this.child.stdin?.write(`${line}\n`)
      while (!/^(?!\w is \w+ in term)./m.test(this.#printed)) await once(this.child.stdout ?? this.child, 'data')
      const match = due.exec(this.#printed)
      if (match !== null) return match
    }
    throw new Error(`${this.id} was told '${line}' and printed: ${this.#printed}`)
  }
}

/** Writes the samples of a page into a folder inside the package, where its own name means the built package. */
function samplesOf(page: string, into?: string): string {
  mkdirSync(join(root, 'data'), { recursive: true })
  const directory = into ?? mkdtempSync(join(root, 'data', 'docs-'))
  if (into === undefined) directories.push(directory)
  const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/```js\n(\/\/ (\S+\.mjs)\n[^]*?)```/g)]
  expect(blocks.length).toBeGreaterThan(0)
  for (const [, body = '', name = ''] of blocks) writeFileSync(join(directory, name), body)
  return directory
}

async function run(cwd: string, args: readonly string[]): Promise<{ code: number | null; printed: string }> {
  const options = args.includes('--test') ? ['--test-reporter=tap'] : []
  const env = { ...process.env }
  // Set by a test runner around this one: its child would report to it instead of printing.
  delete env['NODE_TEST_CONTEXT']
  const child = spawn(process.execPath, [...options, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, printed }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    ports.push(address.port)
  }
  for (const server of servers) server.close()
  return ports
}
