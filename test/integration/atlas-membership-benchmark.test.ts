// The life of a cluster under the real redis-benchmark: from three nodes to five, one is killed for ever and replaced, the
// leader is removed, back to three. Each acknowledged write is counted, and each step says how long writes were away
// (atlas.md §7.4, F22-F24).
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasLoad } from './atlas-load.js'
import { AtlasCluster, cleanUp } from './atlas-process.js'
import { endBenchmarks, hasRedisBenchmark, RedisBenchmarks, RUN_COUNT } from './redis-benchmark.js'

const ELECTION_TIMEOUT_MS = 300
/**
 * Writes are back before a dead leader would be replaced. For each new term as much again: a leader is missed after one to
 * two timeouts, and a machine that is busy with other tests lets one be missed that is alive.
 */
const MAX_GAP_MS = 3 * ELECTION_TIMEOUT_MS
/** However many elections there were. */
const LONGEST_GAP_MS = 12 * ELECTION_TIMEOUT_MS
const CLIENTS = 4

const isThere = hasRedisBenchmark()
if (!isThere) console.log('skipped: redis-benchmark is not installed (Debian: apt install redis-tools)')

afterEach(async () => {
  await endBenchmarks()
  await cleanUp()
})

interface NodesAnswer {
  readonly leader: string | null
  readonly term: number
  readonly nodes: readonly { readonly id: string; readonly suffrage: string }[]
}

/** Asks one node, and again while the answer is that nothing was done yet. */
async function admin(port: number, method: string, path: string, body?: object): Promise<NodesAnswer> {
  for (;;) {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${port}/admin${path}`, init)
    const answer = (await response.json()) as NodesAnswer
    if (response.ok) return answer
    if (![409, 503].includes(response.status)) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
  }
}

/** A cluster under load, and what is done to it step by step. */
class Drill {
  readonly lines: string[] = []
  readonly out = new Set<string>()
  readonly cluster: AtlasCluster
  readonly load: AtlasLoad
  readonly benchmarks: RedisBenchmarks

  /** @param staying - what redis-benchmark talks to: it gives up for good when its node goes */
  constructor(cluster: AtlasCluster, staying: readonly string[]) {
    this.cluster = cluster
    this.load = new AtlasLoad({ clients: CLIENTS, ports: () => this.members().map(({ resp }) => resp) })
    this.benchmarks = new RedisBenchmarks(staying.map((id) => cluster.node(id).resp))
  }

  members() {
    return this.cluster.nodes.filter(({ id }) => !this.out.has(id) && this.cluster.processes.has(id))
  }

  get any(): number {
    return this.members()[0]?.http ?? 0
  }

  /** One step, with writes acknowledged before and after it to whoever writes. */
  async step(name: string, work: () => Promise<unknown>): Promise<void> {
    const { load, benchmarks } = this
    const { acknowledged, unknown } = load
    const [completed, brokenOff] = [benchmarks.completed.length, benchmarks.brokenOff.length]
    const { term } = await admin(this.any, 'GET', '/nodes')
    load.longestGapMs = 0
    await work()
    await Promise.all([load.more(2 * CLIENTS), benchmarks.more(2)])
    const gapMs = Math.round(load.longestGapMs)
    const terms = (await admin(this.any, 'GET', '/nodes')).term - term
    const runs = `${benchmarks.completed.length - completed} (${benchmarks.brokenOff.length - brokenOff} broken off)`
    this.lines.push(
      `${name}: longest gap ${gapMs} ms = ${(gapMs / ELECTION_TIMEOUT_MS).toFixed(1)} election timeouts, ` +
        `new terms ${terms}, acknowledged ${load.acknowledged - acknowledged}, unknown ${load.unknown - unknown}, ` +
        `runs of redis-benchmark ${runs}`,
    )
    expect(gapMs, name).toBeLessThan(Math.min(LONGEST_GAP_MS, MAX_GAP_MS * (1 + terms)))
  }

  /** Takes a member out, and its process if it has one. */
  async remove(id: string): Promise<void> {
    this.out.add(id)
    await admin(this.any, 'DELETE', `/nodes/${id}`)
    if (this.cluster.processes.has(id)) {
      expect(await this.cluster.kill(id, 'SIGTERM')).toEqual({ code: 0, signal: null })
    }
  }

  async end(): Promise<void> {
    await this.benchmarks.end()
    await this.load.end()
  }
}

/** The whole life, on a leader and two that stay. */
async function live(drill: Drill, first: string): Promise<void> {
  const { cluster } = drill
  await drill.step('3 to 4: node-4 joins', () => cluster.join('node-4', drill.any))
  await drill.step('4 to 5: node-5 joins', () => cluster.join('node-5', drill.any))
  await drill.step(`SIGKILL of the leader ${first}`, () => cluster.kill(first))
  await drill.step('node-6 joins in its place', () => cluster.join('node-6', drill.any))
  await drill.step(`the dead ${first} is removed`, () => drill.remove(first))
  const leaving = (await cluster.leader()) === 'node-4' ? 'node-5' : 'node-4'
  await drill.step(`${leaving} is asked to lead`, () => admin(drill.any, 'POST', '/transfer', { to: leaving }))
  await drill.step(`5 to 4: the leader ${leaving} is removed`, () => drill.remove(leaving))
  const last = leaving === 'node-4' ? 'node-5' : 'node-4'
  await drill.step(`4 to 3: ${last} is removed`, () => drill.remove(last))
  await drill.end()
}

/** No acknowledged write is lost, and none is there twice, by one node. */
async function count({ load, benchmarks }: Drill, resp: number): Promise<void> {
  const client = await RespClient.connect(resp)
  const numberOf = async (key: string): Promise<number> => Number(await client.call('GET', key))
  const total = await numberOf('n')
  expect(total).toBeGreaterThanOrEqual(load.acknowledged)
  expect(total).toBeLessThanOrEqual(load.acknowledged + load.unknown)
  for (const { key } of benchmarks.completed) expect(await numberOf(key), key).toBe(RUN_COUNT)
  for (const { key, error } of benchmarks.brokenOff) {
    expect(await numberOf(key), key).toBeLessThanOrEqual(RUN_COUNT)
    expect(error).toMatch(/^Error from server: (UNKNOWN|TIMEOUT|CLUSTERDOWN) /)
  }
  const keys = [...load.values.keys()]
  for (let at = 0; at < keys.length; at += 500) {
    const part = keys.slice(at, at + 500)
    expect(await client.call('MGET', ...part)).toEqual(part.map((key) => load.values.get(key)))
  }
  // Any node knows how far each is: the leader tells it.
  const lines = String(await client.call('RAFT', 'NODES')).match(/^id=.*$/gm)
  expect(lines).toHaveLength(3)
  for (const line of lines ?? []) expect(line).toMatch(/ suffrage=voter change= leader=[01] .* lag=\d+ /)
  client.close()
}

function verdict({ load, benchmarks }: Drill): string {
  const { completed, brokenOff } = benchmarks
  return (
    `${completed.length} runs of redis-benchmark, ${completed.length * RUN_COUNT} INCRs: each counted exactly; ` +
    `${brokenOff.length} ended by an error that says what is unknown. Beside them ${load.acknowledged} INCRs acknowledged, ` +
    `${load.unknown} unknown, ${load.values.size} SETs: none lost, none doubled`
  )
}

describe('a cluster that changes under redis-benchmark', () => {
  it.skipIf(!isThere)(
    'grows from 3 to 5, replaces a dead leader, removes a live one, and is back at 3',
    { timeout: 120_000 },
    async () => {
      const cluster = await AtlasCluster.start()
      const first = await cluster.leader()
      const staying = cluster.nodes.map(({ id }) => id).filter((id) => id !== first)
      const drill = new Drill(cluster, staying)
      try {
        await live(drill, first)
        const { nodes } = await admin(drill.any, 'GET', '/nodes')
        const expected = [...staying, 'node-6'].map((id) => `${id} voter`)
        expect(nodes.map(({ id, suffrage }) => `${id} ${suffrage}`)).toEqual(expected)
        expect(drill.load.surprises).toEqual([])
        for (const { resp } of drill.members()) await count(drill, resp)
        drill.lines.push(verdict(drill))
      } finally {
        console.log(drill.lines.join('\n'))
      }
    },
  )
})
