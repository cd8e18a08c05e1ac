// The embed example of the README, run as it stands there but for its ports: three processes, twice.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const children: ChildProcess[] = []
let directory = ''

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  if (directory !== '') rmSync(directory, { recursive: true, force: true })
})

describe('the embed example of the README', () => {
  it('is one cluster of three processes, which remembers what it counted', async () => {
    // Inside the package, so that its own name means the built package.
    mkdirSync(join(root, 'data'), { recursive: true })
    directory = mkdtempSync(join(root, 'data', 'readme-'))
    writeFileSync(join(directory, 'main.mjs'), await exampleWithFreePorts())
    const counts: number[] = []
    for (let round = 0; round < 2; round++) {
      const nodes = ['a', 'b', 'c'].map((id) => run(id))
      for (const node of nodes) counts.push(await node.startNumber)
      for (const { child } of nodes) {
        child.kill('SIGTERM')
        expect(await once(child, 'exit')).toEqual([0, null])
      }
    }
    expect(counts.slice(0, 3).sort()).toEqual([1, 2, 3])
    expect(counts.slice(3).sort()).toEqual([4, 5, 6])
  })

  it('fits 40 lines', () => {
    expect(example().split('\n').length).toBeLessThanOrEqual(40)
  })
})

function run(id: string): { child: ChildProcess; startNumber: Promise<number> } {
  const child = spawn(process.execPath, ['main.mjs', id], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let printed = ''
  const startNumber = new Promise<number>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      printed += chunk.toString()
      const match = /start number (\d+), the count is \d+\n/.exec(printed)
      if (match !== null) resolve(Number(match[1]))
    }
    child.stdout?.on('data', onData)
    child.stderr?.on('data', onData)
    child.on('exit', (code) => reject(new Error(`${id} ended with ${code} and printed: ${printed}`)))
  })
  return { child, startNumber }
}

function example(): string {
  const match = /## Embed it[^]*?```js\n([^]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))
  if (match?.[1] === undefined) throw new Error('the README has no embed example')
  return match[1]
}

async function exampleWithFreePorts(): Promise<string> {
  const servers = [createServer(), createServer(), createServer()]
  let text = example()
  for (const [at, server] of servers.entries()) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    text = text.replace(String(7101 + at), String(address.port))
  }
  for (const server of servers) server.close()
  return text
}
