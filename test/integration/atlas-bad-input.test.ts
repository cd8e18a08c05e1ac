// What a server says when it can't start, or is told to end: one line, what and where and what to do; 2 for wrong usage,
// 1 for the rest.
import { rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'
import { AtlasProcess, cleanUp, freePorts, poll, temporaryDirectory } from './atlas-process.js'

const servers: Server[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  await cleanUp()
})

async function takenPort(): Promise<number> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A server of one, on ports that are its own. */
async function single(directory: string, ...args: string[]): Promise<AtlasProcess> {
  const [resp, raft] = await freePorts(2)
  const given = (name: string): boolean => args.some((arg) => arg.startsWith(`--${name}`))
  return new AtlasProcess('helios-atlasd.js', [
    `--data-dir=${directory}`,
    ...(given('listen') ? [] : [`--listen=127.0.0.1:${resp}`]),
    ...(given('raft-addr') ? [] : [`--raft-addr=127.0.0.1:${raft}`]),
    ...args,
  ])
}

async function fails(server: AtlasProcess, code: number, ...texts: (string | RegExp)[]): Promise<void> {
  expect(await server.exited, server.stderr).toEqual({ code, signal: null })
  for (const text of texts) expect(server.stderr).toMatch(text)
  expect(server.stderr).toMatch(/^[^\n]+\n$/)
}

describe('helios-atlasd', () => {
  it('refuses a flag that it does not know', async () => {
    await fails(new AtlasProcess('helios-atlasd.js', ['--raft-pers=x']), 2, /did you mean --raft-peers\?/)
  })

  it('refuses peers that it can not read, also from the environment', async () => {
    const server = new AtlasProcess('helios-atlasd.js', ['-raft-node-id', 'n1'], {
      env: { HELIOS_RAFT_PEERS: 'node-2' },
    })
    await fails(server, 2, /HELIOS_RAFT_PEERS holds "node-2"/)
  })

  it('prints version and help', async () => {
    for (const [flag, text] of [
      ['-version', /^helios-atlasd \d+\.\d+\.\d+\n$/],
      ['--help', /--raft-peers LIST/],
    ] as const) {
      const server = new AtlasProcess('helios-atlasd.js', [flag])
      expect(await server.exited).toEqual({ code: 0, signal: null })
      expect(server.stdout).toMatch(text)
    }
  })

  it.each([
    ['listen', 'RESP'],
    ['raft-addr', 'Raft'],
    ['http', 'HTTP'],
  ])('says that the port of --%s is taken', async (flag, what) => {
    const port = await takenPort()
    const server = await single(temporaryDirectory(), `--${flag}=127.0.0.1:${port}`)
    await fails(server, 1, `cannot listen for ${what} on 127.0.0.1:${port} (--${flag})`, /the port is taken/)
  })

  it('says that a directory can not be made', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await fails(await single(join(file, 'data')), 1, /cannot use directory ".*" \(--data-dir\)/)
    await fails(await single(temporaryDirectory(), `--raft-data-dir=${file}`), 1, /\(--raft-data-dir\)/)
  })

  it.runIf(process.platform === 'linux')('ends where the system makes no directories, as in /proc', async () => {
    await fails(await single('/proc/x/data'), 1, /cannot use directory "\/proc\/x\/data" \(--data-dir\)/)
  })

  it('refuses a directory that another process uses, and the first goes on', async () => {
    const directory = temporaryDirectory()
    const first = await single(directory)
    await first.says('Serving clients')
    await fails(await single(directory), 1, /--raft-data-dir/, /lock|use/i)
    expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  it('refuses the directory of another node, and loses nothing by it', async () => {
    const directory = temporaryDirectory()
    const first = await single(directory)
    await first.says('no peers configured: running as a single-node cluster')
    await first.says(/is the LEADER/)
    await first.kill('SIGTERM')
    const other = ['--raft-node-id=node-9', '--raft-peers=node-2:127.0.0.1:1']
    await fails(await single(directory, ...other), 1, /--raft-data-dir/, /belongs to node 'node-1'.*'node-9'/)
    const again = await single(directory)
    await again.says(/is the LEADER/)
  })

  it('goes on with the members that a directory knows, whatever the flags say, and says so (F26)', async () => {
    const directory = temporaryDirectory()
    const first = await single(directory)
    await first.says(/is the LEADER/)
    await first.kill('SIGTERM')
    const [peer] = await freePorts(1)
    rmSync(join(directory, 'founding.json'), { force: true })
    const again = await single(directory, '--raft-node-id=node-1', `--raft-peers=node-2:127.0.0.1:${peer}`)
    await again.says('The bootstrap list (node-1, node-2) is ignored: the members of this cluster are node-1')
    await again.says(/is the LEADER/)
  })

  it('does not talk to a node whose list of members is another', async () => {
    const [one, two, three, http] = await freePorts(4)
    const directory = temporaryDirectory()
    const first = await single(
      join(directory, '1'),
      '--raft-node-id=node-1',
      `--raft-addr=127.0.0.1:${one}`,
      `--raft-peers=node-2:127.0.0.1:${two}`,
      `--http=127.0.0.1:${http}`,
    )
    const second = await single(
      join(directory, '2'),
      '--raft-node-id=node-2',
      `--raft-addr=127.0.0.1:${two}`,
      `--raft-peers=node-1:127.0.0.1:${one},node-3:127.0.0.1:${three}`,
    )
    await Promise.race([first.says(/Peer refused/), second.says(/Peer refused/)])
    await poll(async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).status === 503)
    expect(first.stdout + second.stdout).not.toMatch(/is the LEADER/)
  })

  it('ends when the process that holds its channel ends', async () => {
    const server = await single(temporaryDirectory())
    await server.says('Serving clients')
    server.child.disconnect()
    expect(await server.exited).toEqual({ code: 0, signal: null })
  })

  it('ends at once at a second signal, though a client still waits for a quorum', async () => {
    const [resp, one, two] = await freePorts(3)
    const server = await single(
      temporaryDirectory(),
      `--listen=127.0.0.1:${resp}`,
      '--raft-node-id=node-1',
      `--raft-peers=node-2:127.0.0.1:${one},node-3:127.0.0.1:${two}`,
    )
    await server.says('Serving clients')
    const client = await RespClient.connect(resp ?? 0)
    const answer = client.call('SET', 'a', '1').catch((error: Error) => error)
    // Two kinds, because two pending signals of one kind are delivered as one.
    server.child.kill('SIGTERM')
    expect(await server.kill('SIGINT')).toEqual({ code: 1, signal: null })
    expect(server.stdout).toContain('Shutting down...')
    expect(await answer).toBeInstanceOf(Error)
  })

  it('warns when it listens on all interfaces', async () => {
    const [resp] = await freePorts(1)
    const server = await single(temporaryDirectory(), `--listen=:${resp}`)
    await server.says(`[WARN] atlas: --listen :${resp} is open to all interfaces`)
  })
})

describe('raft-example', () => {
  it('wants one of its three nodes', async () => {
    await fails(new AtlasProcess('raft-example.js', []), 2, /usage: raft-example node-1/)
    await fails(new AtlasProcess('raft-example.js', ['node-4']), 2, /there is no node "node-4"/)
  })
})
