// atlasctl: what an operator does from outside of a server. `status`, `members`, `transfer-leader` and `snapshot` look after a
// running cluster; `backup` asks a running node for its state, `restore` makes a
// data directory of such a file, `recover` makes a survivor go on alone. Exit 2 for wrong usage, 1 for what failed, one line each.
import { atlasctlHelp, resolveAtlasctlOptions } from './config/atlasctl-options.js'
import { exitWith } from './server/program.js'
import { VERSION } from './server/version.js'
import type { OperatorCommand } from './config/operator-options.js'
import { runOperatorCommand } from './tools/operator.js'
import { fetchBackup, restoreFile } from './tools/backup-file.js'
import { recoverDirectory } from './tools/recover-directory.js'
import { startLine } from './tools/start-line.js'

const NAME = 'atlasctl'
/** Between two tables. */
const WATCH_MS = 1_000

async function main(): Promise<void> {
  const options = resolveAtlasctlOptions(process.argv.slice(2))
  if (options === 'help') return say(atlasctlHelp())
  if (options === 'version') return say(`${NAME} ${VERSION}\n`)
  if (options.command === 'backup') {
    const { index, term, sizeBytes } = await fetchBackup(options, untilSignal())
    return say(`${options.file}: index ${index}, term ${term}, ${sizeBytes} bytes\n`)
  }
  if (options.command === 'recover') return say(await recoverDirectory(options))
  if (options.command !== 'restore') return operate(options)
  const { lastIncludedIndex } = await restoreFile(options)
  say(`${options.raftDirectory}: the state of index ${lastIncludedIndex}\nstart it: ${startLine(options)}\n`)
}

/** Sets the exit code of the process when something is wrong with the cluster. */
async function operate(command: OperatorCommand): Promise<void> {
  const isWatching = command.command === 'status' && command.watch
  // Who only looks is ended by the signal itself, without a word.
  const signal = command.command === 'status' || command.command === 'members list' ? undefined : untilSignal()
  for (;;) {
    const { text, isHealthy } = await runOperatorCommand(command, signal).catch((error: unknown) => {
      // A watch goes on: the node may come back.
      if (!isWatching || !(error instanceof Error)) throw error
      return { text: error.message, isHealthy: false }
    })
    // On a terminal each table takes the place of the last.
    say(`${isWatching && process.stdout.isTTY ? '\u001b[2J\u001b[H' : ''}${text}\n`)
    process.exitCode = isHealthy ? 0 : 1
    if (!isWatching) return
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS))
  }
}

/** Aborts when the process is told to end, so that no half of a file is left, and a change that goes on is told of. */
function untilSignal(): AbortSignal {
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => abort.abort(new Error(`interrupted by ${signal}`)))
  }
  return abort.signal
}

function say(text: string): void {
  process.stdout.write(text)
}

main().catch((error: unknown) => exitWith(NAME, error))
