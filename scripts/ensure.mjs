// Installs and builds what is missing, then runs the rest of the command line with node_modules/.bin on the PATH,
// so that one command is enough on a clone with nothing installed. Needs Node and npm only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (result.error) console.error(`${command}: ${result.error.message}`)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

const digest = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
const mark = join(root, 'node_modules', '.helios-lock')
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== digest) {
  console.error('installing dependencies ...')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(mark, digest)
}
run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])

const [command, ...args] = process.argv.slice(2)
if (command) {
  process.env.PATH = join(root, 'node_modules/.bin') + delimiter + process.env.PATH
  // The program handles the signals of its terminal itself; this wrapper only waits for it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})
  run(command, args)
}
