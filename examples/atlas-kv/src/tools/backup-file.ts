// Backups as files: fetched from a node, checked while they are written, and there under their name only when all of it is
// durable; read back into a data directory. What a backup consists of is the library's.
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LogStore, SnapshotMeta, SnapshotSink, SnapshotStore } from 'helios-raft'
import { isRaftError, restoreBackup } from 'helios-raft'
import { levelStorage } from 'helios-raft/level'
import type { BackupCommand, RestoreCommand } from '../config/atlasctl-options.js'
import { StartError } from '../config/usage-error.js'
import { formatAddress } from '../config/values.js'
import { makeDirectory } from '../server/make-directory.js'
import { directoryError, reasonOf } from '../server/start-error.js'

const OWNER_ONLY = 0o600
const READ_BYTES = 256 * 1024

export interface BackupSummary {
  /** Of its state. */
  readonly index: number
  readonly term: number
  readonly sizeBytes: number
}

/** Asks a node. Throws StartError; whatever fails, no file of that name is made or changed, and no other is left. */
export async function fetchBackup({ file, node, force }: BackupCommand, signal: AbortSignal): Promise<BackupSummary> {
  await refuseExisting(file, force)
  const body = await request(formatAddress(node.host === '' ? { ...node, host: '127.0.0.1' } : node), signal)
  const temporary = `${file}.${randomUUID()}.tmp`
  const handle = await open(temporary, 'wx', OWNER_ONLY).catch((error: unknown) => {
    throw new StartError(`cannot write ${JSON.stringify(file)}: ${reasonOf(error)}`, { cause: error })
  })
  try {
    const summary = await save(body, handle).finally(() => handle.close())
    await refuseExisting(file, force)
    await rename(temporary, file)
    await syncDirectory(dirname(file))
    return summary
  } catch (error) {
    await rm(temporary, { force: true })
    if (signal.aborted) throw interrupted(signal)
    if (error instanceof StartError) throw error
    const reason = isRaftError(error) ? 'it came damaged or was cut off' : textOf(error)
    throw new StartError(`no backup was made: ${reason}; run it again, or ask another node`, { cause: error })
  }
}

/** Makes the directory that a node will be started on. Throws StartError; then nothing was restored. */
export async function restoreFile({ file, raftDirectory, nodeId, raft }: RestoreCommand): Promise<SnapshotMeta> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new StartError(`cannot read ${JSON.stringify(file)}: ${reasonOf(error)}`, { cause: error })
  })
  try {
    await makeDirectory(raftDirectory).catch((error: unknown) => {
      throw directoryError(error, raftDirectory, '--data-dir')
    })
    const backup = handle.createReadStream({ autoClose: false, highWaterMark: READ_BYTES })
    const member = { id: nodeId, address: raft }
    return await restoreBackup({ ...levelStorage({ directory: raftDirectory }), member, backup })
  } catch (error) {
    if (error instanceof StartError) throw error
    const what = `cannot restore ${JSON.stringify(file)} into ${JSON.stringify(raftDirectory)}`
    throw new StartError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    await handle.close()
  }
}

async function request(address: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(`http://${address}/admin/backup`, { signal }).catch((error: unknown) => {
    if (signal.aborted) throw interrupted(signal)
    throw new StartError(`no node answers at ${address} (--addr): ${textOf(error)}`, { cause: error })
  })
  if (response.status === 200 && response.body !== null) return response.body
  const told = await response.text().catch(() => '')
  throw new StartError(`the node at ${address} gives no backup (status ${response.status}): ${messageIn(told)}`)
}

function interrupted({ reason }: AbortSignal): StartError {
  const why = reason instanceof Error ? reason.message : 'interrupted'
  return new StartError(`${why}: no backup was made, and no file was left`, { cause: reason })
}

/** Writes what comes, and lets the library check it on its way. */
async function save(body: AsyncIterable<Uint8Array>, handle: FileHandle): Promise<BackupSummary> {
  let sizeBytes = 0
  async function* written(): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      for (let at = 0; at < piece.byteLength; ) at += (await handle.write(piece, at)).bytesWritten
      sizeBytes += piece.byteLength
      yield piece
    }
  }
  const member = { id: 'nobody', address: 'nowhere' }
  const { lastIncludedIndex, lastIncludedTerm } = await restoreBackup({ ...nowhere(), member, backup: written() })
  await handle.sync()
  return { index: lastIncludedIndex, term: lastIncludedTerm, sizeBytes }
}

/** Stores that are empty and forget everything: what is restored into them was checked, and no more. */
function nowhere(): { readonly logStore: LogStore; readonly snapshotStore: SnapshotStore } {
  const nothing = async (): Promise<void> => {}
  const hardState = { currentTerm: 0, votedFor: null }
  const log = {
    hardState,
    firstIndex: 1,
    lastIndex: 0,
    previousTerm: 0,
    termRuns: [],
    configurations: [],
    identity: null,
  }
  const logStore = { open: async () => log, write: nothing, read: async () => [], compact: nothing, close: nothing }
  const create = async (meta: SnapshotMeta): Promise<SnapshotSink> => ({
    writtenBytes: 0,
    write: nothing,
    commit: async () => ({ meta, sizeBytes: 0, digest: new Uint8Array(32), async *read() {} }),
    abort: nothing,
  })
  return { logStore, snapshotStore: { create, latest: async () => null, close: nothing } }
}

async function refuseExisting(file: string, force: boolean): Promise<void> {
  if (force) return
  const found = await stat(file).catch(() => null)
  if (found !== null)
    throw new StartError(`${JSON.stringify(file)} is there already: choose another name, or add --force`)
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** The message of the server's error, or what came instead. */
function messageIn(body: string): string {
  try {
    return String((JSON.parse(body) as { error: { message: unknown } }).error.message)
  } catch {
    return JSON.stringify(body.slice(0, 80))
  }
}

/** fetch says little itself: the reason is its cause. */
function textOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return reasonOf(cause instanceof Error ? cause : error)
}
