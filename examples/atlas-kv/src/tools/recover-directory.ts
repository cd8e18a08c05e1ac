// A survivor of a lost quorum made the only voter, offline; or told what it has. What that means is the library's.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { recoverCluster } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import type { RecoverCommand } from '../config/recover-options.js'
import { StartError } from '../config/usage-error.js'
import { reasonOf } from '../server/start-error.js'
import { startLine } from './start-line.js'

/** Where levelStorage keeps the log. */
const LOG = 'log'

/** @returns what is to be printed. Throws StartError; then nothing was changed */
export async function recoverDirectory(command: RecoverCommand): Promise<string> {
  const { raftDirectory, nodeId, raft, dryRun } = command
  const name = JSON.stringify(raftDirectory)
  // A store would be made where there is none.
  for (const path of [raftDirectory, join(raftDirectory, LOG)]) {
    await stat(path).catch((error: unknown) => {
      throw new StartError(`cannot read ${JSON.stringify(path)} (--data-dir): ${reasonOf(error)}`, { cause: error })
    })
  }
  const member = { id: nodeId, address: raft }
  const found = await recoverCluster({ ...levelStorage({ directory: raftDirectory }), member, dryRun }).catch(
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      throw new StartError(`cannot recover ${name}: ${reason}`, { cause: error })
    },
  )
  const { clusterId, lastIndex, lastTerm, snapshotIndex, previous } = found
  const members = previous.members.map(({ id }) => id).join(', ')
  const kept = `${raftDirectory}: cluster ${clusterId}, last entry ${lastIndex} of term ${lastTerm}, snapshot ${snapshotIndex}, members ${members}\n`
  if (dryRun)
    return `${kept}nothing was changed: recover the survivor with the highest term, and of equals the highest entry\n`
  return `${kept}${nodeId} is the only voter now; wipe every other old member, and add it again with --raft-join\nstart it: ${startLine(command)}\n`
}
