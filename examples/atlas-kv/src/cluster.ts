// `npm start`: the three-node cluster of the quick start in the foreground. A node that is killed stays dead and the
// others go on; all of them end with this process.
import { join } from 'node:path'
import { parseFlags, wantsHelp } from './config/flags.js'
import { escaped } from './log/text-logger.js'
import { exitWith } from './server/program.js'
import { nodeFlags, QUICK_START } from './tools/local-cluster.js'
import { NodeProcess } from './tools/node-process.js'

const NAME = 'cluster'
const DIRECTORY = join('data', 'cluster')
/** How often it looks whether its own parent is still there. */
const PARENT_CHECK_MS = 1_000

interface Running {
  readonly id: string
  readonly node: NodeProcess
}

function main(): void {
  if (wantsHelp(process.argv.slice(2))) {
    process.stdout.write(
      `npm start: three nodes of Atlas KV in the foreground, data in ${DIRECTORY}; it takes no flags\n`,
    )
    return
  }
  parseFlags(process.argv.slice(2), [])
  print('', `three nodes, data in ${DIRECTORY}; redis-cli -p ${QUICK_START.map(({ resp }) => resp).join(', -p ')}`)
  print('', `status: curl http://127.0.0.1:${QUICK_START[0]?.http}/admin/status; Ctrl+C ends all of them`)
  const running = QUICK_START.map((spec): Running => {
    const args = nodeFlags(spec, QUICK_START, DIRECTORY)
    return { id: spec.id, node: new NodeProcess({ args, onLine: (line) => print(spec.id, line) }) }
  })
  let ending = false
  const end = async (status: number): Promise<void> => {
    if (ending) return
    ending = true
    await Promise.all(running.map(({ node }) => node.end()))
    process.exit(status)
  }
  const onExit = (id: string, exit: { readonly code: number | null; readonly signal: string | null }): void => {
    if (ending) return
    // A node that gives up by itself could not start or has lost its disk: a cluster that hides it helps nobody.
    if (exit.code !== null && exit.code !== 0) {
      print('', `${id} ended with status ${exit.code}; ending the others`)
      void end(1)
      return
    }
    const left = running.filter(({ node }) => !node.hasExited).length
    const fate = left >= 2 ? 'the others go on' : 'without a majority nothing is written or read'
    print('', `${id} ended${exit.signal === null ? '' : ` by ${exit.signal}`} and stays down; ${fate}`)
    const spec = QUICK_START.find((each) => each.id === id)
    if (spec !== undefined) print('', `again: npx helios-atlasd ${nodeFlags(spec, QUICK_START, DIRECTORY).join(' ')}`)
    if (running.every(({ node }) => node.hasExited)) void end(1)
  }
  for (const { id, node } of running) void node.exited.then((exit) => onExit(id, exit))
  followParent(() => void end(0))
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals += 1
      if (signals > 1) killAll(running)
      else void end(0)
    })
  }
}

/** A second signal ends at once. */
function killAll(running: readonly Running[]): void {
  for (const { node } of running) void node.kill()
  process.exit(1)
}

/** npm and its scripts may be killed without a word to us: another parent means that ours is gone. */
function followParent(onGone: () => void): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) onGone()
  }, PARENT_CHECK_MS).unref()
  process.stdout.on('error', onGone)
}

function print(source: string, line: string): void {
  process.stdout.write(`${(source || NAME).padEnd(7)} | ${escaped(line)}\n`)
}

try {
  main()
} catch (error) {
  exitWith(NAME, error)
}
