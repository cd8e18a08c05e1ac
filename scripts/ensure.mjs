// Installs and builds what is missing, then runs the rest of the command line with node_modules/.bin on the PATH,
// so that one command is enough on a clone with nothing installed. Builds the package and the examples, or the compiler
// project that `--build=PATH` names, `.` for all of them, tests too. Needs Node and npm only. Several of them may run at
// once: one installs and builds at a time. Signals reach the program, and how it ended is how this ends.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lock = join(root, '.ensure-lock')
const LOCK_POLL_MS = 100
/** npm passes on what its process group got already: the same signal again within this time is the same signal. */
const SAME_SIGNAL_MS = 500
const PARENT_POLL_MS = 250

let running = null
let signalled = null
const lastSignalAt = new Map()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => passOn(signal))

function passOn(signal) {
  signalled = signal
  const now = performance.now()
  const isRepeated = now - (lastSignalAt.get(signal) ?? Number.NEGATIVE_INFINITY) < SAME_SIGNAL_MS
  lastSignalAt.set(signal, now)
  // A terminal sends its Ctrl-C to every process of the group: the program has it already.
  const isFromTerminal = signal === 'SIGINT' && process.stdin.isTTY
  if (!isRepeated && !isFromTerminal) running?.kill(signal)
}

// npm runs its scripts in a shell and hands a signal to that, which ends by it and tells nobody: a program whose shell is
// gone would go on without anyone who could stop it.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    passOn('SIGTERM')
  }, PARENT_POLL_MS)
  watch.unref()
}

/** Resolves with how it ended: `{ code, signal }`. */
function run(command, args) {
  return new Promise((resolve) => {
    const program = command === 'node' ? process.execPath : command
    const isScript = process.platform === 'win32' && command !== 'node'
    running = spawn(program, args, { cwd: root, stdio: 'inherit', shell: isScript })
    running.on('error', (error) => {
      console.error(`${command} can't be run: ${error.message}`)
      resolve({ code: 127, signal: null })
    })
    running.on('exit', (code, signal) => resolve({ code, signal }))
  })
}

/** Ends this process in the way in which the program ended; never resolves. */
function endLike({ code, signal }) {
  releaseLock()
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // Where a signal can't end this process, its number still tells.
  setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1_000)
  return new Promise(() => {})
}

async function runOrEnd(command, args) {
  const end = await run(command, args)
  if (end.code === 0 && signalled === null) return
  await endLike(end.code === 0 ? { code: null, signal: signalled } : end)
}

let holdsLock = false

/** The lock is a directory that appears with its owner's pid in it, by one rename. */
async function takeLock() {
  const mine = mkdtempSync(`${lock}-`)
  writeFileSync(join(mine, 'pid'), String(process.pid))
  for (let hasSaidSo = false; ; await wait(LOCK_POLL_MS)) {
    try {
      renameSync(mine, lock)
      holdsLock = true
      return
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error
    }
    if (signalled !== null) {
      rmSync(mine, { recursive: true, force: true })
      return endLike({ code: null, signal: signalled })
    }
    const owner = lockOwner()
    if (owner !== null && !isAlive(owner)) removeLockOf(owner)
    else if (!hasSaidSo) console.error(`waiting for process ${owner ?? '?'}, which installs or builds ...`)
    hasSaidSo = true
  }
}

function releaseLock() {
  if (!holdsLock) return
  holdsLock = false
  rmSync(lock, { recursive: true, force: true })
}

function lockOwner() {
  try {
    return Number(readFileSync(join(lock, 'pid'), 'utf8'))
  } catch {
    return null
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Of several that find a dead owner, the one that makes the mark removes the lock, if it is still that owner's. */
function removeLockOf(owner) {
  const mark = join(lock, 'abandoned')
  try {
    mkdirSync(mark)
  } catch {
    return
  }
  rmSync(lockOwner() === owner ? lock : mark, { recursive: true, force: true })
}

async function install() {
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const mark = join(root, 'node_modules', '.helios-lock')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === digest) return
  console.error('installing dependencies ...')
  await runOrEnd('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(mark, digest)
}

const isBuildOption = process.argv[2]?.startsWith('--build=')
const [command, ...args] = process.argv.slice(isBuildOption ? 3 : 2)
const projects = isBuildOption
  ? [process.argv[2].slice('--build='.length)]
  : ['src', ...['quickstart', 'property-test', 'leader-election', 'lock', 'atlas-kv'].map((name) => `examples/${name}`)]

await takeLock()
await install()
await runOrEnd('node', [join(root, 'node_modules/typescript/bin/tsc'), '-b', ...projects])
releaseLock()

if (command !== undefined) {
  process.env.PATH = join(root, 'node_modules/.bin') + delimiter + process.env.PATH
  await endLike(await run(command, args))
}
