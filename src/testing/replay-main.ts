// `npm run replay -- FILE...`: replays a trace or a recording, says where it diverged, and ends with one line of key=value on stdout. Exit
// code 0 when every line is what the cores do now, 1 when one is not, 2 for a file that can't be replayed.
import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import type { CoreEvent } from '../core/index.js'
import { isRaftError } from '../errors.js'
import { encodeEvent } from './trace/event-codec.js'
import { replay, type ReplayedStep } from './trace/replay.js'

const USAGE = `usage: npm run replay -- FILE... [--quiet]
  FILE      a trace of npm run sim -- --trace FILE, or of a SimulationFailure; or the files of a flight recorder, the older
            one first: FILE.1 FILE
  --quiet   only the last line`

/** Longest event that is printed whole. */
const MAX_EVENT_TEXT = 160

async function main(argv: readonly string[]): Promise<number> {
  const options = { quiet: { type: 'boolean' }, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
  if (values.help === true) {
    console.log(USAGE)
    return 0
  }
  if (positionals.length === 0) throw new TypeError('name a trace, or the files of a recording')
  const onStep = values.quiet === true ? undefined : (step: ReplayedStep): void => console.log(textOf(step))
  const { steps, divergedAt } = await replay(bytesOf(positionals), { onStep })
  if (divergedAt !== null) console.error(`line or record ${divergedAt} is not what this core does`)
  console.log(`steps=${steps} divergedAt=${divergedAt ?? 'none'}`)
  return divergedAt === null ? 0 : 1
}

async function* bytesOf(files: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const file of files) yield* createReadStream(file) as AsyncIterable<Uint8Array>
}

function textOf({ number, node, event, status }: ReplayedStep): string {
  const { role, currentTerm, commitIndex, lastIndex } = status
  const text = JSON.stringify(encodeEvent(event as CoreEvent))
  const short = text.length <= MAX_EVENT_TEXT ? text : `${text.slice(0, MAX_EVENT_TEXT)}…`
  return `${number} ${node} ${role} term ${currentTerm} commit ${commitIndex} last ${lastIndex} after ${short}`
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  const isUsage = !isRaftError(error) && (error as NodeJS.ErrnoException).syscall === undefined
  console.error(isUsage ? `${message}\n${USAGE}` : `replay: ${message}`)
  process.exitCode = 2
}
