// `npm run sim:matrix [-- SEEDS]`: the same seeds on several versions of Node, each brought by npm into a folder of its own.
// A simulation is decided by its seed alone, so the hash over all traces must be the same on each. Exit code 1 when it isn't.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0']

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/** Path of the binary of that version; installs it when it isn't there. */
async function binaryOf(version) {
  const folder = join(root, 'node_modules', '.node-versions', version)
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  console.error(`installing node ${version} ...`)
  await run('npm', ['install', '--no-audit', '--no-fund', '--no-save', `node@${version}`], { cwd: folder })
  return binary
}

async function tracesOf(version, seeds) {
  const main = join(root, 'dist', 'testing', 'sim-main.js')
  const { stderr } = await run(await binaryOf(version), [main, '--seeds', seeds], { cwd: root })
  return /^traces: (\w+)/m.exec(stderr)?.[1] ?? 'none'
}

const seeds = process.argv[2] ?? '60'
if (!/^[1-9]\d{0,5}$/.test(seeds)) {
  console.error(`'${seeds}' is no number of seeds\nusage: npm run sim:matrix -- [SEEDS]`)
  process.exit(2)
}
const hashes = new Set()
for (const version of VERSIONS) {
  const hash = await tracesOf(version, seeds)
  hashes.add(hash)
  console.error(`node ${version}: ${hash}`)
}
const isSame = hashes.size === 1 && !hashes.has('none')
console.log(`versions=${VERSIONS.length} seeds=${seeds} traces=${[...hashes].join(',')} same=${isSame}`)
process.exitCode = isSame ? 0 : 1
