// What atlasctl makes of a node's answers, of none, and of an end while it waits.
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { resolveAtlasctlOptions } from '../../../examples/atlas-kv/src/config/atlasctl-options.js'
import type { OperatorCommand } from '../../../examples/atlas-kv/src/config/operator-options.js'
import { runOperatorCommand } from '../../../examples/atlas-kv/src/tools/operator.js'

const servers: Server[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function listen(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const httpNode = (answer: RequestListener) => listen(createHttpServer(answer))

function command(line: string, address: string): OperatorCommand {
  return resolveAtlasctlOptions([...line.split(' '), '--addr', address]) as OperatorCommand
}

describe('atlasctl status', () => {
  it('says that the asked node is not a member, where it is not one any more', async () => {
    const member = { id: 'node-2', address: 'h:1', suffrage: 'voter', change: null, isLeader: false, http: null }
    const nodes = [{ ...member, resp: null, replication: null, lag: null, lastContactMs: null }]
    const seen = { leader: null, term: 3, commitIndex: 7, seenBy: 'node-1', isJoint: false, nodes }
    const address = await httpNode((_request, response) => {
      response.setHeader('Connection', 'close').end(JSON.stringify(seen))
    })
    const { text, isHealthy } = await runOperatorCommand(command('status', address))
    expect(isHealthy).toBe(false)
    expect(text).toContain('unhealthy: node-1, which was asked, is not a member of the cluster (any more)')
    expect(text).not.toContain('there is no leader')
  })
})

describe('atlasctl on a port of another kind', () => {
  it.each([
    ['answers in its own way', "-ERR unknown command 'GET'\r\n", /what answers there is not HTTP; name the HTTP port/],
    ['closes without a word', '', /the connection was closed without an answer; is it the HTTP port of a node\?/],
  ])('that %s names the one that is wanted', async (_name, bytes, reason) => {
    const address = await listen(
      createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes))),
    )
    await expect(runOperatorCommand(command('members list', address))).rejects.toThrow(reason)
  })
})

describe('atlasctl that is ended while it waits', () => {
  it.each([
    ['members add node-4 h:2', /^interrupted by SIGINT: the cluster goes on to add node-4; .* members remove node-4 /],
    ['members remove node-4', /^interrupted by SIGINT: what was asked for may still happen: see .* status /],
  ])('says of %s what goes on', async (line, told) => {
    const abort = new AbortController()
    const address = await httpNode(() => abort.abort(new Error('interrupted by SIGINT')))
    await expect(runOperatorCommand(command(line, address), abort.signal)).rejects.toThrow(told)
  })
})
