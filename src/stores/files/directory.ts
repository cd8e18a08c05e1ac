// Directories that are there after a power cut: created for the owner only, and each new name made durable in its
// parent. Names and contents of files are others' business. Sources: H53, security promise 9.
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isRaftError, RaftError } from '../../errors.js'

const OWNER_ONLY = 0o700

/** Makes `directory` (absolute) with its parents where they are missing, mode 0700, durably. Rejects with RAFT_STORAGE. */
export async function ensureDirectory(directory: string): Promise<void> {
  try {
    // One by one: where a file system refuses with ENOENT, as /proc does, a recursive mkdir of Node never ends.
    for (const missing of await missingPaths(directory)) {
      await mkdir(missing, { mode: OWNER_ONLY }).catch(unlessItExists)
      await syncDirectory(dirname(missing))
    }
  } catch (error) {
    throw fileFailure(`The directory '${directory}' can't be made or used`, error)
  }
}

/** What of a path is not there, outermost first. */
async function missingPaths(directory: string): Promise<readonly string[]> {
  const paths: string[] = []
  for (let at = directory; !(await exists(at)) && at !== dirname(at); at = dirname(at)) paths.unshift(at)
  return paths
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** Another process may have made it a moment ago. */
function unlessItExists(error: unknown): void {
  if (!hasCode(error, 'EEXIST')) throw error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
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
