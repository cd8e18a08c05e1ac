// Who may vote, on real processes: a wiped disk never does (H112, H19), a joiner takes the leader that adds it, and a node that was
// away takes the one that leads now, whatever its own configuration says (H122, F25, F33).
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasCluster, cleanUp, poll } from './atlas-process.js'

const ELECTION_TIMEOUT_MS = 300

afterEach(cleanUp)

/** Asks one node, and again while the answer is that nothing was done yet. */
async function admin(port: number, method: string, path: string, body?: object): Promise<void> {
  await poll(async () => {
    const headers = { 'content-type': 'application/json' }
    const told = body === undefined ? {} : { body: JSON.stringify(body), headers }
    const response = await fetch(`http://127.0.0.1:${port}/admin${path}`, { method, ...told })
    return response.ok
  })
}

/** Until it is acknowledged: a leader may just have gone. */
async function set(port: number, key: string, value: string): Promise<void> {
  const client = await RespClient.connect(port)
  await poll(async () => (await client.call('SET', key, value)) === 'OK')
  client.close()
}
async function get(port: number, key: string): Promise<unknown> {
  const client = await RespClient.connect(port)
  const value = await client.call('GET', key)
  client.close()
  return value
}

/** Ten election timeouts of a running process: what would happen by itself has happened. */
const longEnough = () => new Promise((resolve) => setTimeout(resolve, 10 * ELECTION_TIMEOUT_MS))

describe.each(['node-1', 'node-3'])('H112: of three listed nodes, %s wiped', (wiped) => {
  it('is never elected by or with one that never started, and never again', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.listed()
    const [survivor, third] = ['node-1', 'node-2', 'node-3'].filter((id) => id !== wiped) as [string, string]
    const [first, second] = [cluster.startNode('node-1'), cluster.startNode('node-2')]
    for (const process of [first, second]) {
      await process.says('Waiting for node-3 to found the cluster (2 of 3 members present)')
    }
    await longEnough()
    for (const id of ['node-1', 'node-2']) {
      expect(await cluster.status(id)).toMatchObject({ currentTerm: 0, leader: null, lastIndex: 0, votedFor: null })
      expect((await cluster.status(id)).explanation).toMatch(/^Waiting for node-3 to found the cluster \(2 of 3/)
    }
    expect(first.stdout + second.stdout).not.toMatch(/Starting election|is the LEADER/)
    cluster.startNode('node-3')
    await cluster.ready()
    for (let write = 0; write < 20; write++) await set(cluster.node(survivor).resp, `k${write}`, `v${write}`)

    await cluster.kill(wiped)
    cluster.wipe(wiped)
    const again = cluster.startNode(wiped)
    await cluster.processes.get(survivor)?.says(new RegExp(`Peer refused.*${wiped}.*wiped`))
    await cluster.kill(third)
    const before = await cluster.status(survivor)
    await longEnough()
    // One of three with a disk: nobody leads, and nobody has voted for anybody else.
    await poll(async () => (await cluster.status(survivor)).leader === null)
    expect(await cluster.status(wiped)).toMatchObject({ role: 'follower', currentTerm: 0, leader: null, lastIndex: 0 })
    expect(await cluster.status(survivor)).toMatchObject({ currentTerm: before.currentTerm, suffrage: 'voter' })
    expect(again.stdout).not.toMatch(/Starting election|Vote granted|Founded a cluster/)

    cluster.startNode(third)
    for (const id of [survivor, third]) {
      await poll(async () => (await fetch(`http://127.0.0.1:${cluster.node(id).http}/readyz`)).status === 200)
      for (let write = 0; write < 20; write++) expect(await get(cluster.node(id).resp, `k${write}`)).toBe(`v${write}`)
    }
    expect((await cluster.status(wiped)).lastIndex).toBe(0)

    await admin(cluster.node(survivor).http, 'DELETE', `/nodes/${wiped}`)
    await admin(cluster.node(survivor).http, 'POST', '/nodes', {
      id: wiped,
      address: `127.0.0.1:${cluster.node(wiped).raft}`,
    })
    await cluster.ready()
    expect(await get(cluster.node(wiped).resp, 'k19')).toBe('v19')
    // It votes again: with it alone beside the survivor there is a leader.
    await cluster.kill(third)
    await cluster.ready()
    await set(cluster.node(wiped).resp, 'last', 'one')
    expect(await get(cluster.node(survivor).resp, 'last')).toBe('one')
  })
})

describe('H122: who may speak', () => {
  it('is not decided by an old configuration, nor by none', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    await set(cluster.node('node-2').resp, 'k', 'v')
    // A joiner has no configuration at all.
    await cluster.join('node-4', cluster.node('node-1').http)
    expect(await get(cluster.node('node-4').resp, 'k')).toBe('v')
    await cluster.join('node-5', cluster.node('node-1').http)
    // While node-3 is down, node-4 is replaced by another store under its id, and leads.
    await cluster.kill('node-3')
    await cluster.kill('node-4')
    cluster.wipe('node-4')
    const { http } = cluster.node('node-1')
    // Not removed yet, it is told that it is a member, and says why nothing comes of that; then it joins by itself.
    const wiped = cluster.startJoining('node-4', http)
    await wiped.says(/'node-4' is a member, but .* another store .*RAFT REMOVE node-4/)
    expect(wiped.stdout).not.toContain('Joined the cluster')
    await admin(http, 'DELETE', '/nodes/node-4')
    await wiped.says('Joined the cluster')
    await cluster.ready()
    await admin(http, 'POST', '/transfer', { to: 'node-4' })
    await poll(async () => (await cluster.status('node-4')).role === 'leader')
    await set(cluster.node('node-4').resp, 'k', 'w')
    cluster.startNode('node-3')
    await cluster.ready()
    expect(await get(cluster.node('node-3').resp, 'k')).toBe('w')
    expect((await cluster.status('node-3')).leader?.id).toBe('node-4')
    // They count for each other, too: without two others these are needed for a quorum.
    await cluster.kill('node-1')
    await cluster.kill('node-5')
    await cluster.ready()
    await set(cluster.node('node-2').resp, 'k', 'x')
    expect(await get(cluster.node('node-3').resp, 'k')).toBe('x')
  })
})
