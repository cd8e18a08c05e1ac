// atlasctl against a cluster of real processes: what it prints, what it changes, how it exits.
import { afterEach, describe, expect, it } from 'vitest'
import { AtlasCluster, AtlasProcess, cleanUp, poll } from './atlas-process.js'

afterEach(cleanUp)

async function atlasctl(line: string): Promise<{ code: number | null; text: string }> {
  const process = new AtlasProcess('atlasctl.js', line.split(' '))
  const { code } = await process.exited
  return { code, text: `${process.stdout}${process.stderr}` }
}

describe('atlasctl on a running cluster', () => {
  it('shows it, changes it, and exits 1 when something is wrong', async () => {
    const cluster = await AtlasCluster.start()
    const addr = `--addr 127.0.0.1:${cluster.node('node-1').http}`
    // All have told where they are.
    await poll(async () => (await atlasctl(`status ${addr}`)).code === 0)
    const { text } = await atlasctl(`status ${addr}`)
    expect(text).toMatch(/^node +address +state +voter +term +commit +applied +lag +last contact\n/)
    expect(text).toMatch(/\nnode-2 +127\.0\.0\.1:\d+ +(leader|follower) +yes +\d+ +\d+ +\d+ +\d+ +\d+ ms\n/)
    expect(text).toMatch(/\nhealthy: all 3 members answer, node-\d leads in term \d+\n$/)

    const leader = await cluster.leader()
    const [first = '', second = ''] = cluster.nodes.map(({ id }) => id).filter((id) => id !== leader)
    expect(await atlasctl(`transfer-leader ${first} ${addr}`)).toEqual({ code: 0, text: `${first} leads\n` })
    expect(await atlasctl(`members demote ${second} ${addr}`)).toEqual({ code: 0, text: `${second} is a learner\n` })
    expect((await atlasctl(`members list ${addr}`)).text).toMatch(new RegExp(`\\n${second} .* learner `))
    expect(await atlasctl(`members promote ${second} ${addr}`)).toEqual({ code: 0, text: `${second} is a voter\n` })
    expect((await atlasctl(`snapshot ${addr}`)).text).toMatch(/^the state of index \d+ is saved\n$/)
    const nobody = await atlasctl(`members remove node-9 ${addr}`)
    expect(nobody.code).toBe(1)
    expect(nobody.text).toMatch(/^atlasctl: .* refused: 'node-9' is not a member of this cluster\n$/)

    await cluster.kill('node-3')
    const unhealthy = await atlasctl(`status ${addr}`)
    expect(unhealthy.code).toBe(1)
    expect(unhealthy.text).toMatch(/\nunhealthy: .*node-3 does not answer\b/)
    const gone = await atlasctl(`members list --addr 127.0.0.1:${cluster.node('node-3').http}`)
    expect(gone.code).toBe(1)
    expect(gone.text).toMatch(/^atlasctl: no answer from 127\.0\.0\.1:\d+: .*; name another node with --addr\n$/)
  })
})
