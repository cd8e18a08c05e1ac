// What a transfer that broke off left of a snapshot (F28): whether it can still be of use. Reads its header alone; what of
// the content is there counts when the same snapshot is sent again.
import { open } from 'node:fs/promises'
import { isRaftError, RaftError } from '../../errors.js'
import type { LogIndex } from '../../core/types.js'
import { readHeader } from './snapshot-file.js'

/**
 * Whether nobody will go on with the partial at `path`: a leader never sends what a node holds a snapshot of already, and a
 * torn header is begun anew. One that a newer release wrote, or that can't be read now, is left alone.
 */
export async function isSpentPartial(path: string, newestIndex: LogIndex): Promise<boolean> {
  try {
    return (await indexOf(path)) <= newestIndex
  } catch (error) {
    return isRaftError(error, 'RAFT_CORRUPTION')
  }
}

async function indexOf(path: string): Promise<LogIndex> {
  const damage = (reason: string) => new RaftError('RAFT_CORRUPTION', `The partial '${path}' is torn: ${reason}`)
  const handle = await open(path, 'r')
  try {
    return (await readHeader(handle, damage)).header.meta.lastIncludedIndex
  } finally {
    await handle.close()
  }
}
