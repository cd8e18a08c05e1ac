// A cluster of real processes that grows, loses a node for ever, is rid of it and of its leader, and shrinks, while clients
// write: nothing acknowledged is lost or doubled, and writes are never away for long (atlas.md §7.4, F22-F24).
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasLoad } from './atlas-load.js'
import { AtlasCluster, cleanUp } from './atlas-process.js'

const ELECTION_TIMEOUT_MS = 300
/** A leader is missed within two election timeouts, elected in the next, and the machine may be busy with other tests. */
const MAX_GAP_MS = 12 * ELECTION_TIMEOUT_MS

afterEach(cleanUp)

/** Asks one node, and again while the answer is that nothing was done yet. */
async function admin(
  port: number,
  method: string,
  path: string,
): Promise<{ nodes: { id: string; suffrage: string }[] }> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/admin${path}`, { method })
    const body = (await response.json()) as { nodes: { id: string; suffrage: string }[] }
    if (response.ok) return body
    if (![409, 503].includes(response.status)) throw new Error(`${method} ${path}: ${JSON.stringify(body)}`)
  }
}

describe('a member that is started again', () => {
  it('knows its cluster, whatever the flags say of peers', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    await cluster.join('node-4', cluster.node('node-1').http)
    await cluster.kill('node-4', 'SIGTERM')
    await cluster.kill('node-1', 'SIGTERM')
    // As one that founds, with the others; and with one more peer than at the founding.
    for (const id of ['node-4', 'node-1']) cluster.startNode(id)
    await cluster.ready()
    const { nodes } = await admin(cluster.node('node-4').http, 'GET', '/nodes')
    expect(nodes.map(({ id, suffrage }) => `${id} ${suffrage}`)).toEqual([1, 2, 3, 4].map((n) => `node-${n} voter`))
    await cluster.processes.get('node-1')?.says('peers of the flags are not looked at')
  })
})

describe('a cluster that changes under load', () => {
  it('grows from 3 to 5, replaces a dead node, lets its leader go, and shrinks to 3', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    const out = new Set<string>()
    const members = () => cluster.nodes.filter(({ id }) => !out.has(id) && cluster.processes.has(id))
    const load = new AtlasLoad({ clients: 6, ports: () => members().map(({ resp }) => resp) })
    const gaps: string[] = []
    /** One step, with writes acknowledged before and after it. */
    const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      await load.more(50)
      load.longestGapMs = 0
      await work()
      await load.more(50)
      gaps.push(`${name} ${Math.round(load.longestGapMs)} ms`)
      expect(load.longestGapMs, name).toBeLessThan(MAX_GAP_MS)
    }
    const any = (): number => members()[0]?.http ?? 0
    const remove = async (id: string): Promise<void> => {
      out.add(id)
      await admin(any(), 'DELETE', `/nodes/${id}`)
      if (cluster.processes.has(id)) expect(await cluster.kill(id, 'SIGTERM')).toEqual({ code: 0, signal: null })
    }

    await step('joining by HTTP', () => cluster.join('node-4', any()))
    await step('joining by RESP', () => cluster.join('node-5', members()[1]?.resp ?? 0))
    const dead = await cluster.leader()
    await step('killing the leader', () => cluster.kill(dead))
    await step('joining in its place', () => cluster.join('node-6', any()))
    await step('removing the dead', () => remove(dead))
    const leader = await cluster.leader()
    await step('removing the leader', () => remove(leader))
    const last = await cluster.leader()
    await step('handing over', () => admin(any(), 'POST', '/transfer'))
    await step('removing who led before', () => remove(last))
    await load.end()

    const { nodes } = await admin(any(), 'GET', '/nodes')
    expect(nodes.map(({ id, suffrage }) => `${id} ${suffrage}`)).toEqual(members().map(({ id }) => `${id} voter`))
    expect(nodes).toHaveLength(3)
    expect(load.surprises).toEqual([])
    const keys = [...load.values.keys()]
    for (const { resp } of members()) {
      const client = await RespClient.connect(resp)
      const total = Number(await client.call('GET', 'n'))
      expect(total).toBeGreaterThanOrEqual(load.acknowledged)
      expect(total).toBeLessThanOrEqual(load.acknowledged + load.unknown)
      for (let at = 0; at < keys.length; at += 500) {
        const part = keys.slice(at, at + 500)
        expect(await client.call('MGET', ...part)).toEqual(part.map((key) => load.values.get(key)))
      }
      client.close()
    }
    const { acknowledged, unknown } = load
    console.log(
      `${acknowledged} INCRs acknowledged, ${unknown} unknown, ${keys.length} SETs kept; away: ${gaps.join(', ')}`,
    )
  })
})
