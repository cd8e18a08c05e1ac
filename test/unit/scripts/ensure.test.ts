// The script that lets one command be enough on a clone with nothing installed, run in a tree of its own with an npm
// and a compiler that only note that they were called.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const script = fileURLToPath(new URL('../../../scripts/ensure.mjs', import.meta.url))
const trees: string[] = []
const children: ChildProcess[] = []

/** Takes a while, so that two installers at once would be seen. */
const NPM = `#!/usr/bin/env node
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs')
appendFileSync('calls', 'install begins\\n')
if (process.env.NPM_FAILS) process.exit(7)
setTimeout(() => {
  mkdirSync('node_modules/typescript/bin', { recursive: true })
  writeFileSync('node_modules/typescript/bin/tsc', "require('node:fs').appendFileSync('calls', 'compile\\\\n')")
  appendFileSync('calls', 'install ends\\n')
}, 300)
`

function plantTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'ensure-test-'))
  trees.push(tree)
  mkdirSync(join(tree, 'scripts'))
  mkdirSync(join(tree, 'programs'))
  cpSync(script, join(tree, 'scripts/ensure.mjs'))
  writeFileSync(join(tree, 'package-lock.json'), '{}')
  writeFileSync(join(tree, 'programs/npm'), NPM)
  chmodSync(join(tree, 'programs/npm'), 0o755)
  return tree
}

function ensure(
  tree: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const PATH = join(tree, 'programs') + delimiter + process.env['PATH']
  const env = { ...process.env, ...environment, PATH }
  const child = spawn(process.execPath, ['scripts/ensure.mjs', ...args], {
    cwd: tree,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return child
}

async function end(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  const [code, signal] = await once(child, 'exit')
  return { code, signal }
}

const calls = (tree: string) => readFileSync(join(tree, 'calls'), 'utf8').trim().split('\n')

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true })
})

describe('ensure.mjs', () => {
  it('installs, compiles and runs the program, and ends with its exit code', async () => {
    const tree = plantTree()
    const child = ensure(tree, ['node', '-e', 'process.exit(Number(process.argv[1]))', '23'])
    expect(await end(child)).toEqual({ code: 23, signal: null })
    expect(calls(tree)).toEqual(['install begins', 'install ends', 'compile'])
    expect(readdirSync(tree).filter((name) => name.startsWith('.ensure-lock'))).toEqual([])
  })

  it('installs once for the same lockfile, and again for another', async () => {
    const tree = plantTree()
    await end(ensure(tree, []))
    await end(ensure(tree, []))
    writeFileSync(join(tree, 'package-lock.json'), '{ "lockfileVersion": 3 }')
    await end(ensure(tree, []))
    expect(calls(tree).filter((call) => call === 'install ends')).toHaveLength(2)
  })

  it('lets one of several installs and the others wait for it', async () => {
    const tree = plantTree()
    const ends = await Promise.all([1, 2, 3].map(() => end(ensure(tree, ['node', '-e', '0']))))
    expect(ends).toEqual([1, 2, 3].map(() => ({ code: 0, signal: null })))
    expect(calls(tree)).toEqual(['install begins', 'install ends', 'compile', 'compile', 'compile'])
  })

  it('takes the place of an owner that was killed', async () => {
    const tree = plantTree()
    const dead = spawn(process.execPath, ['-e', '0'])
    await once(dead, 'exit')
    mkdirSync(join(tree, '.ensure-lock'))
    writeFileSync(join(tree, '.ensure-lock/pid'), String(dead.pid))
    expect(await end(ensure(tree, ['node', '-e', '0']))).toEqual({ code: 0, signal: null })
  })

  it('ends with the code of an install that failed, and tries again the next time', async () => {
    const tree = plantTree()
    const failed = await end(ensure(tree, ['node', '-e', '0'], { NPM_FAILS: 'yes' }))
    expect(failed).toEqual({ code: 7, signal: null })
    expect(existsSync(join(tree, '.ensure-lock'))).toBe(false)
    expect(await end(ensure(tree, ['node', '-e', '0']))).toEqual({ code: 0, signal: null })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'passes %s on to the program and waits until it has ended',
    async (signal) => {
      const tree = plantTree()
      const program = `process.on('${signal}', () => { console.log('closing'); process.exit(5) }); console.log('up'); setInterval(() => {}, 1000)`
      const child = ensure(tree, ['node', '-e', program])
      let output = ''
      for await (const chunk of child.stdout ?? []) {
        output += String(chunk)
        if (output === 'up\n') child.kill(signal)
      }
      expect(output).toBe('up\nclosing\n')
      expect(child.exitCode ?? (await end(child)).code).toBe(5)
    },
  )

  it.skipIf(process.platform === 'win32')(
    'ends the program when the shell in which npm runs it was ended',
    async () => {
      const tree = plantTree()
      const program =
        "process.on('SIGTERM', () => { console.log('closing'); process.exit() }); console.log('up'); setInterval(() => {}, 1000)"
      writeFileSync(join(tree, 'program.cjs'), program)
      const PATH = join(tree, 'programs') + delimiter + process.env['PATH']
      const env = { ...process.env, PATH, npm_lifecycle_event: 'start' }
      // What follows keeps the shell from becoming the program.
      const script = 'node scripts/ensure.mjs node program.cjs; true'
      const shell = spawn('sh', ['-c', script], { cwd: tree, env, stdio: ['ignore', 'pipe', 'inherit'] })
      children.push(shell)
      let output = ''
      for await (const chunk of shell.stdout) {
        output += String(chunk)
        if (output === 'up\n') shell.kill('SIGTERM')
      }
      expect(output).toBe('up\nclosing\n')
    },
  )

  it('ends by the signal that ended the program', async () => {
    const tree = plantTree()
    expect(await end(ensure(tree, ['node', '-e', "process.kill(process.pid, 'SIGKILL')"]))).toEqual({
      code: null,
      signal: 'SIGKILL',
    })
  })

  it('says so when there is no such program', async () => {
    const tree = plantTree()
    expect(await end(ensure(tree, ['no-such-program']))).toEqual({ code: 127, signal: null })
  })
})
