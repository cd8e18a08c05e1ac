// H120 on real processes: after a lost quorum `atlasctl recover` makes one survivor go on alone, and the old majority that comes
// back after all is refused at both ends (F26, H50).
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasCluster, AtlasProcess, cleanUp, freePorts, poll, temporaryDirectory } from './atlas-process.js'

afterEach(cleanUp)

/** Runs atlasctl to its end. */
async function atlasctl(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const process = new AtlasProcess('atlasctl.js', args, { cwd: temporaryDirectory() })
  const { code } = await process.exited
  return { code, stdout: process.stdout, stderr: process.stderr }
}

async function call(port: number, ...words: string[]): Promise<unknown> {
  const client = await RespClient.connect(port)
  const answer = await client.call(...(words as [string]))
  client.close()
  return answer
}
const set = (port: number, key: string) => poll(async () => (await call(port, 'SET', key, 'v')) === 'OK')

describe('atlasctl recover', () => {
  it('lets a survivor go on, whom the old majority reaches no more', { timeout: 60_000 }, async () => {
    const cluster = await AtlasCluster.start()
    const [one, two] = [cluster.node('node-1'), cluster.node('node-2')]
    for (let key = 0; key < 10; key++) await set(two.resp, `k${key}`)
    await poll(async () => (await call(one.resp, 'GET', 'k9')) === 'v')
    const args = ['--data-dir', cluster.directory('node-1'), '--members', `node-1=127.0.0.1:${one.raft}`]
    const running = await atlasctl('recover', ...args)
    expect(running).toMatchObject({ code: 1, stdout: '' })
    expect(running.stderr).toMatch(/^atlasctl: cannot recover .*in use/)

    const { lastIndex, currentTerm } = await cluster.status('node-1')
    await Promise.all(['node-1', 'node-2', 'node-3'].map((id) => cluster.kill(id)))
    const found = `last entry ${lastIndex} of term ${currentTerm}, snapshot 0, members node-1, node-2, node-3\n`
    const told = await atlasctl('recover', ...args, '--dry-run')
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toContain(found)
    expect(told.stdout).toContain('nothing was changed')
    const done = await atlasctl('recover', ...args)
    expect(done).toMatchObject({ code: 0, stderr: '' })
    // A dry run had changed nothing.
    expect(done.stdout).toContain(found)
    expect(done.stdout).toContain('node-1 is the only voter now')

    const survivor = cluster.startNode('node-1')
    await cluster.ready()
    for (let key = 0; key < 10; key++) expect(await call(one.resp, 'GET', `k${key}`)).toBe('v')
    await set(one.resp, 'new')
    const before = await cluster.status('node-1')

    // The old majority is back: it elects its own, and writes what nobody else ever sees.
    const old = [cluster.startNode('node-2'), cluster.startNode('node-3')]
    await set(two.resp, 'theirs')
    expect(await call(two.resp, 'GET', 'new')).toBeNull()
    await survivor.says(/Peer refused.*founding.*must be wiped and added again/)
    // Who is asked first refuses: to be asked by the survivor it must be a member there.
    const at = `http://127.0.0.1:${one.http}/admin/nodes`
    const learner = JSON.stringify({ id: 'node-2', address: `127.0.0.1:${two.raft}`, suffrage: 'learner' })
    expect((await fetch(at, { method: 'POST', body: learner })).ok).toBe(true)
    await old[0]?.says(/Peer refused.*peer 'node-1' belongs to founding/)
    expect((await fetch(`${at}/node-2`, { method: 'DELETE' })).ok).toBe(true)
    expect(await call(one.resp, 'GET', 'theirs')).toBeNull()
    expect(await cluster.status('node-1')).toMatchObject({ role: 'leader', currentTerm: before.currentTerm })

    // Wiped and added again it is a member as any other.
    await Promise.all(['node-2', 'node-3'].map((id) => cluster.kill(id)))
    cluster.wipe('node-2')
    await cluster.rejoin('node-2', one.http)
    await cluster.ready()
    expect(await call(two.resp, 'GET', 'new')).toBe('v')
    expect(await call(two.resp, 'GET', 'theirs')).toBeNull()
  })

  it('refuses what is no directory of that node, and makes none', async () => {
    const directory = join(temporaryDirectory(), 'none')
    const missing = await atlasctl('recover', '--data-dir', directory, '--members', 'node-1=h:1')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/cannot read .*none\/raft" \(--data-dir\)/)
    expect(existsSync(directory)).toBe(false)
    expect(await atlasctl('recover', '--data-dir', directory)).toMatchObject({ code: 2, stdout: '' })

    const empty = temporaryDirectory()
    mkdirSync(join(empty, 'raft'))
    const flags = ['--data-dir', empty, '--members', 'node-1=h:1', '--dry-run']
    const unused = await atlasctl('recover', ...flags)
    expect(unused).toMatchObject({ code: 1, stdout: '' })
    expect(unused.stderr).toMatch(/cannot read .*raft\/log" \(--data-dir\)/)
    expect(readdirSync(join(empty, 'raft'))).toEqual([])

    const data = temporaryDirectory()
    // What the membership says of a node must be a place where it can be dialled.
    const [raft] = await freePorts(1)
    const server = new AtlasProcess('helios-atlasd.js', [
      `--data-dir=${data}`,
      '--listen=127.0.0.1:0',
      `--raft-addr=127.0.0.1:${raft}`,
    ])
    await server.says(/is the LEADER/)
    await server.kill('SIGTERM')
    const other = await atlasctl('recover', '--data-dir', data, '--members', 'node-2=h:1')
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(/these stores belong to node 'node-1', not to 'node-2'/)
  })
})
