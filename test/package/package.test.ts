// The package as a stranger gets it: packed, installed from the tarball into an empty strict TypeScript project,
// compiled without skipLibCheck, and run.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const typescript = join(root, 'node_modules/typescript/bin/tsc')
const project = mkdtempSync(join(tmpdir(), 'helios-raft-user-'))
const execute = promisify(execFile)

/** What `npm test` tells its scripts about this project must not reach the npm of another one. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command|config_local_prefix)/.test(name)),
)

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await execute('npm', [...args], { cwd, env, shell: process.platform === 'win32' })
  return stdout
}

async function compile(config: string, ...options: string[]): Promise<string> {
  const args = [typescript, '-p', config, ...options, '--typeRoots', join(root, 'node_modules/@types')]
  const outcome = await execute(process.execPath, args, { cwd: project }).catch((error: { stdout: string }) => error)
  return outcome.stdout
}

/** The last line that it printed, and the signal that ended it. */
async function runProgram(name: string, ...args: string[]): Promise<{ printed: unknown; signal: string | null }> {
  const options = { cwd: project, timeout: 20_000, killSignal: 'SIGTERM' as const }
  const outcome = await execute(process.execPath, [join(project, 'out', name), ...args], options).catch(
    (error: { stdout: string; stderr: string; signal: string | null }) => error,
  )
  const line = outcome.stdout.trim().split('\n').at(-1)
  expect(line, outcome.stderr).toBeTruthy()
  return { printed: JSON.parse(String(line)), signal: 'signal' in outcome ? outcome.signal : null }
}

beforeAll(async () => {
  cpSync(join(dirname(fileURLToPath(import.meta.url)), 'fixture'), project, { recursive: true })
  const packed = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], root)
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error']
  await npm(['install', ...quiet, join(project, filename)], project)
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

describe('the packed package', () => {
  it('compiles in a strict project', async () => {
    expect(await compile('tsconfig.json')).toBe('')
  })

  it('compiles for a browser, without the types of Node', async () => {
    expect(await compile('tsconfig.browser.json')).toBe('')
  })

  it('runs three nodes in memory, each of which writes and reads', async () => {
    expect(await runProgram('memory.js')).toEqual({
      printed: { results: [1, 2, 3], reads: [3, 3, 3], code: 'RAFT_ABORTED', roles: ['stopped', 'stopped', 'stopped'] },
      signal: null,
    })
  })

  it('has a testing subpath that needs fast-check for its arbitraries alone', async () => {
    expect(await compile('tsconfig.testing.json', '--skipLibCheck')).toBe('')
    const without = await runProgram('simulated.js')
    const missing = expect.stringMatching(
      /^RAFT_INVALID_OPTION: arbFaultPlan needs the package 'fast-check'.*npm install/,
    )
    expect(without).toEqual({ printed: { up: 3, result: 2, missing }, signal: null })
    for (const name of ['fast-check', 'pure-rand']) {
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction')
    }
    expect(await compile('tsconfig.testing.json')).toBe('')
    expect(await runProgram('simulated.js')).toEqual({ printed: { up: 3, result: 2, missing: null }, signal: null })
  }, 120_000)

  it('runs a node on LevelDB and TCP that restarts with its state, also after a kill', async () => {
    const directory = join(project, 'data')
    expect(await runProgram('durable.js', directory)).toEqual({ printed: { before: 0, after: 1 }, signal: null })
    expect(await runProgram('durable.js', directory, 'kill')).toEqual({
      printed: { before: 1, after: 2 },
      signal: 'SIGKILL',
    })
    expect(await runProgram('durable.js', directory)).toEqual({ printed: { before: 2, after: 3 }, signal: null })
  })
})
