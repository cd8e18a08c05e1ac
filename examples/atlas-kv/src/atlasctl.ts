// atlasctl: what an operator does from outside of a server. `backup` asks a running node for its state, `restore` makes a
// data directory of such a file. Exit 2 for wrong usage, 1 for what failed, one line each.
import { atlasctlHelp, resolveAtlasctlOptions } from './config/atlasctl-options.js'
import { exitWith } from './server/program.js'
import { VERSION } from './server/version.js'
import { fetchBackup, restoreFile } from './tools/backup-file.js'

const NAME = 'atlasctl'

async function main(): Promise<void> {
  const options = resolveAtlasctlOptions(process.argv.slice(2))
  if (options === 'help') return say(atlasctlHelp())
  if (options === 'version') return say(`${NAME} ${VERSION}\n`)
  if (options.command === 'backup') {
    const { index, term, sizeBytes } = await fetchBackup(options, untilSignal())
    return say(`${options.file}: index ${index}, term ${term}, ${sizeBytes} bytes\n`)
  }
  const { lastIncludedIndex } = await restoreFile(options)
  const { dataDirectory, nodeId, raft } = options
  const flags = `--data-dir ${JSON.stringify(dataDirectory)} --raft-node-id ${nodeId} --raft-addr ${raft}`
  say(`${options.raftDirectory}: the state of index ${lastIncludedIndex}\nstart it: helios-atlasd ${flags}\n`)
}

/** Aborts when the process is told to end, so that no half of a file is left. */
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
