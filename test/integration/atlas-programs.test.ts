// The programs that show a cluster: the demo, and the three terminals of raft-example.
import { afterEach, describe, expect, it } from 'vitest'
import { AtlasProcess, cleanUp, temporaryDirectory } from './atlas-process.js'

afterEach(cleanUp)

describe('the demo', () => {
  it('loses its leader, goes on, and ends with all nodes at one index', async () => {
    const demo = new AtlasProcess('demo.js', [])
    expect(await demo.exited, `${demo.stdout}${demo.stderr}`).toEqual({ code: 0, signal: null })
    const lines = demo.stdout.trimEnd().split('\n')
    expect(demo.stdout).toMatch(/^Failover: writes were away for \d+ ms$/m)
    expect(lines.filter((line) => line.startsWith('GET greeting on node-'))).toHaveLength(3)
    expect(lines.filter((line) => /^node-\d +(Leader|Follower) /.test(line))).toHaveLength(3)
    expect(lines.at(-1)).toBe('All commit indices match - cluster is consistent!')
  }, 60_000)

  it('refuses a flag that it does not know', async () => {
    const demo = new AtlasProcess('demo.js', ['--kep'])
    expect(await demo.exited).toEqual({ code: 2, signal: null })
    expect(demo.stderr).toBe('demo: unknown flag --kep: did you mean --keep?\n')
  })
})

describe('raft-example', () => {
  it('writes its sample keys once, also across restarts of all nodes', async () => {
    const cwd = temporaryDirectory()
    const start = (): AtlasProcess[] =>
      ['node-1', 'node-2', 'node-3'].map((id) => new AtlasProcess('raft-example.js', [id], { cwd }))
    const first = start()
    await Promise.race(first.map((node) => node.says('Sample keys written')))
    await Promise.all(first.map((node) => node.says(/Leader is node-|is the LEADER/)))
    for (const node of first) {
      expect(await node.kill('SIGINT')).toEqual({ code: 0, signal: null })
      expect(node.stdout).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[INFO\] raft: Starting Raft node/m)
    }
    const second = start()
    await Promise.race(second.map((node) => node.says('Sample keys are there already')))
    for (const node of second) await node.kill()
    expect(second.map((node) => node.stdout).join('')).not.toContain('Sample keys written')
  }, 60_000)
})
