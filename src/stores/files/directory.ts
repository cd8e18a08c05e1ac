// Directories that are there after a power cut: created for the owner only, and each new name made durable in its
// parent. Names and contents of files are others' business. Sources: H53, security promise 9.
import { mkdir, open } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { isRaftError, RaftError } from '../../errors.js'

const OWNER_ONLY = 0o700

/** Makes `directory` (absolute) with its parents where they are missing, mode 0700, durably. Rejects with RAFT_STORAGE. */
export async function ensureDirectory(directory: string): Promise<void> {
  try {
    const first = await mkdir(directory, { recursive: true, mode: OWNER_ONLY })
    if (first === undefined) return
    let parent = dirname(first)
    await syncDirectory(parent)
    for (const name of relative(parent, dirname(directory)).split(sep).filter(Boolean)) {
      parent = join(parent, name)
      await syncDirectory(parent)
    }
  } catch (error) {
    throw fileFailure(`The directory '${directory}' can't be made or used`, error)
  }
}

/** Makes the names in a directory durable. Rejects as the system does. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no directories, and its rename is durable in the order of the journal.
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** RAFT_STORAGE for what the file system rejected. Never retried (H78). */
export function fileFailure(what: string, error: unknown): RaftError {
  if (isRaftError(error)) return error
  const reason = error instanceof Error ? error.message : String(error)
  const advice = 'Check the disk, its free space and its permissions, then start the node again'
  return new RaftError('RAFT_STORAGE', `${what}: ${reason}. ${advice}.`, { cause: error, outcome: 'unknown' })
}
