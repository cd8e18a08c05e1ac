// The drill: a cluster that takes writes is backed up from a follower, is lost, and begins again from the file (F49).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRaftError, memoryStorage, restoreBackup } from 'helios-raft'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AtlasCluster, AtlasProcess, cleanUp, freePorts, poll, temporaryDirectory } from './atlas-process.js'

let directory: string
beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(cleanUp)

/** Runs atlasctl to its end. */
async function atlasctl(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const process = new AtlasProcess('atlasctl.js', args, { cwd: directory })
  const { code } = await process.exited
  return { code, stdout: process.stdout, stderr: process.stderr }
}

/** One writer: key after key, each when the one before was acknowledged, until it is told to stop. */
class Writer {
  acknowledged = 0
  readonly #http: number
  readonly #done: Promise<void>
  #isStopped = false

  constructor(http: number) {
    this.#http = http
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const body = JSON.stringify({ value: valueOf(this.acknowledged) })
      const url = `http://127.0.0.1:${this.#http}/kv/key-${this.acknowledged}`
      const { status } = await fetch(url, { method: 'PUT', body })
      if (status === 201) this.acknowledged += 1
    }
  }
}

const valueOf = (key: number) => `value ${key} ${'x'.repeat(key % 50)}`

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 4_096) yield bytes.subarray(at, at + 4_096)
}

/** Why the library refuses it; null when it takes it. */
async function refusal(bytes: Uint8Array): Promise<string | null> {
  try {
    await restoreBackup({ ...memoryStorage(), member: { id: 'n', address: 'n:1' }, backup: pieces(bytes) })
    return null
  } catch (error) {
    if (!isRaftError(error, 'RAFT_CORRUPTION', 'RAFT_VERSION')) throw error
    return error.message
  }
}

describe('a cluster that is lost', () => {
  it('begins again from a backup, with all that was acknowledged before it', async () => {
    const cluster = await AtlasCluster.start()
    const leader = await cluster.leader()
    const follower = cluster.nodes.find(({ id }) => id !== leader) ?? cluster.node(leader)
    const writer = new Writer(cluster.node(leader).http)
    await poll(async () => writer.acknowledged >= 100)
    const before = writer.acknowledged
    const addr = `--addr=127.0.0.1:${follower.http}`
    const made = await atlasctl('backup', 'state.backup', addr)
    const after = writer.acknowledged
    await writer.stop()
    expect(after).toBeGreaterThan(before)
    expect(made).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^state\.backup: index \d+, term \d+, \d+ bytes\n$/),
    })
    const again = await atlasctl('backup', 'state.backup', addr)
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/is there already: .* --force/) })
    for (const { id } of cluster.nodes) await cluster.kill(id)

    const bytes = new Uint8Array(readFileSync(join(directory, 'state.backup')))
    await everyDamageIsRefused(bytes)

    const [raft, http, resp] = await freePorts(3)
    const place = ['--data-dir=restored', `--raft-addr=127.0.0.1:${raft}`]
    const restored = await atlasctl('restore', 'state.backup', '--node-id=node-9', ...place)
    expect(restored).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/start it: npx helios-atlasd .* --http /),
    })
    const served = [`--http=127.0.0.1:${http}`, `--listen=127.0.0.1:${resp}`]
    const server = new AtlasProcess('helios-atlasd.js', ['--raft-node-id=node-9', ...place, ...served], {
      cwd: directory,
    })
    await server.says('Serving clients')
    await poll(async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).status === 200)
    for (let key = 0; key < before; key++) {
      const answer = await fetch(`http://127.0.0.1:${http}/kv/key-${key}`)
      expect(((await answer.json()) as { value: string }).value).toBe(valueOf(key))
    }
    const write = { method: 'PUT', body: '{"value":"new"}' }
    expect((await fetch(`http://127.0.0.1:${http}/kv/new`, write)).status).toBe(201)
    await server.kill()
    const twice = await atlasctl('restore', 'state.backup', '--node-id=node-9', ...place)
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringMatching(/belongs to node 'node-9'/) })
  }, 120_000)
})

/** A flipped byte and a cut, anywhere; and one of each by the program, into a directory that stays good for another try. */
async function everyDamageIsRefused(bytes: Uint8Array): Promise<void> {
  expect(await refusal(bytes)).toBeNull()
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    bytes[at] = byte ^ (1 << (at % 8))
    expect(await refusal(bytes), `byte ${at}`).toMatch(/byte \d+/)
    bytes[at] = byte
  }
  for (let length = 0; length < bytes.length; length += 7) {
    expect(await refusal(bytes.subarray(0, length)), `${length} bytes`).toMatch(/it ends after \d+ more bytes/)
  }
  const damaged = bytes.slice()
  const middle = bytes.length >> 1
  damaged[middle] = (damaged[middle] ?? 0) ^ 1
  writeFileSync(join(directory, 'damaged'), damaged)
  writeFileSync(join(directory, 'cut'), bytes.subarray(0, middle))
  for (const name of ['damaged', 'cut']) {
    const { code, stderr } = await atlasctl('restore', name, '--data-dir=restored', '--node-id=node-9')
    expect([name, code]).toEqual([name, 1])
    expect(stderr).toMatch(
      /^atlasctl: cannot restore .*: the backup is damaged at byte \d+, record 1: .*nothing was restored/,
    )
  }
}

describe('atlasctl', () => {
  it('leaves no file behind when nobody answers, and says so in one line', async () => {
    const [port] = await freePorts(1)
    const { code, stderr } = await atlasctl('backup', 'state.backup', `--addr=127.0.0.1:${port}`)
    expect([code, readdirSync(directory)]).toEqual([1, []])
    expect(stderr).toMatch(/^atlasctl: no node answers at 127\.0\.0\.1:\d+ \(--addr\): .*\n$/)
  })

  it('says what it needs', async () => {
    expect(await atlasctl('backup')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^atlasctl: backup needs a file/),
    })
    expect(await atlasctl('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^usage: atlasctl COMMAND /),
    })
    const { code, stderr } = await atlasctl('restore', 'missing', '--data-dir=d')
    expect([code, stderr.split('\n').length, readdirSync(directory)]).toEqual([1, 2, []])
  })
})
