// atlasctl on files and directories: what it says of those that are not there, of an end in the middle, and of what comes next.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchBackup, restoreFile } from '../../../examples/atlas-kv/src/tools/backup-file.js'
import { recoverDirectory } from '../../../examples/atlas-kv/src/tools/recover-directory.js'
import { startLine } from '../../../examples/atlas-kv/src/tools/start-line.js'

const MISSING = /there is no such file or directory; check the path \(ENOENT\)/
let directory = ''
let server: Server | null = null

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'atlasctl-'))
})
afterEach(async () => {
  const closing = server
  server = null
  if (closing !== null) await new Promise((resolve) => closing.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})

const placeOf = (dataDirectory: string) => ({
  dataDirectory,
  raftDirectory: join(dataDirectory, 'raft'),
  nodeId: 'node-1',
  raft: '127.0.0.1:7000',
})

describe('atlasctl', () => {
  it('says that a file or directory to read is not there', async () => {
    const place = placeOf(join(directory, 'none'))
    const file = join(directory, 'nope.backup')
    await expect(restoreFile({ command: 'restore', file, ...place })).rejects.toThrow(MISSING)
    await expect(recoverDirectory({ command: 'recover', dryRun: true, ...place })).rejects.toThrow(MISSING)
    expect(readdirSync(directory)).toEqual([])
  })

  it.each(['before the first byte', 'in the middle'])(
    'leaves no file when it is ended %s, and says so',
    async (when) => {
      const abort = new AbortController()
      const end = (): void => abort.abort(new Error('interrupted by SIGINT'))
      server = createServer((_request, response) => {
        if (when !== 'in the middle') return end()
        response.write('some bytes', end)
      })
      await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
      const node = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
      const file = join(directory, 'state.backup')
      await expect(fetchBackup({ command: 'backup', file, node, force: false }, abort.signal)).rejects.toThrow(
        /^interrupted by SIGINT: no backup was made, and no file was left$/,
      )
      expect(readdirSync(directory)).toEqual([])
    },
  )
})

describe('startLine', () => {
  it('is the command of the guides, with HTTP', () => {
    expect(startLine(placeOf('./data/new-1'))).toBe(
      'npx helios-atlasd --data-dir ./data/new-1 --raft-node-id node-1 --raft-addr 127.0.0.1:7000 --http 127.0.0.1:8080',
    )
  })

  it('names a log that lies elsewhere, quotes for the shell, and says where Raft is open to others', () => {
    const place = { ...placeOf("it's here"), raftDirectory: '/log', raft: '10.0.0.1:7000' }
    expect(startLine(place)).toBe(
      "npx helios-atlasd --data-dir 'it'\\''s here' --raft-data-dir /log --raft-node-id node-1 --raft-addr 10.0.0.1:7000 --insecure --http 127.0.0.1:8080",
    )
  })
})
