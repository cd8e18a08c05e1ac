// A directory with its parents, mode 0700. One by one: where a file system answers ENOENT to mkdir, as /proc does, Node's
// recursive mkdir never ends.
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const OWNER_ONLY = 0o700

/** Rejects as the system does; with EEXIST when a file is in its place. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: OWNER_ONLY })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path))
    await mkdir(path, { mode: OWNER_ONLY })
  }
}
