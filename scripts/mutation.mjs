// `npm run mutation [-- OPTIONS OF STRYKER]`: how many wrong cores the tests of the core notice. StrykerJS and the Node that
// it needs are installed in test/mutation by the first run, so that nobody else waits for them. Takes the better part of an
// hour; results of unchanged files are kept. The survivors are in test/mutation/reports.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'test', 'mutation')
const node = join(folder, 'node_modules', 'node', 'bin', 'node')
const stryker = join(folder, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' })
  if (error !== undefined) console.error(`${command} can't be run: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(node) || !existsSync(stryker)) {
  console.error('installing StrykerJS ...')
  run('npm', ['ci', '--no-audit', '--no-fund'], folder)
}
run(node, [stryker, 'run', join(folder, 'stryker.config.json'), ...process.argv.slice(2)], root)
