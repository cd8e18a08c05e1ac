// Snapshots as files in one directory. Holds no lock: the log store beside it does. Knows which files are committed and
// which is the latest; writing and reading are in snapshot-sink.ts and snapshot-file.ts. A damaged file is reported and
// left alone, and no older one takes its place: the log may begin behind it (H60, F29, F30).
import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { LogIndex } from '../../core/types.js'
import { RaftError } from '../../errors.js'
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from '../../interfaces/snapshot-store.js'
import type { SnapshotMeta } from '../../interfaces/state-machine.js'
import { checkMeta, checkSource, hex, openSink, type SnapshotSource } from '../snapshot-rules.js'
import { ensureDirectory, fileFailure } from './directory.js'
import { isSpentPartial } from './received-partial.js'
import { parseSnapshotFileName, SnapshotFile, type SnapshotPosition, snapshotFileName } from './snapshot-file.js'
import { FileSink } from './snapshot-sink.js'

export interface FileSnapshotStoreOptions {
  /** Made with mode 0700 at the first use, if it isn't there; files have mode 0600. */
  readonly directory: string
}

const LOCAL = /^local-[0-9a-f-]+\.tmp$/
const RECEIVED = /^received-[0-9a-f]+\.partial$/

/** From the first use to `close`. */
interface Period {
  closed: boolean
  readonly files: Map<string, SnapshotFile>
  readonly sinks: Map<'local' | 'received', FileSink | null>
  sequence: number
}

/** Snapshots that survive a power cut once `commit` has resolved. Keeps the latest; older ones go with their last reader. */
export class FileSnapshotStore implements SnapshotStore {
  readonly #directory: string
  #period: Promise<Period> | null = null

  /** Touches nothing. Throws RAFT_INVALID_OPTION without a directory. */
  constructor(options: FileSnapshotStoreOptions) {
    const { directory } = options
    if (typeof directory !== 'string' || directory === '') {
      const text = `directory is ${JSON.stringify(directory)}: give the path of a directory`
      throw new RaftError('RAFT_INVALID_OPTION', text)
    }
    this.#directory = resolve(directory)
  }

  /**
   * Rejects with RAFT_INVARIANT while a sink of that kind is open or when meta or source can't be, RAFT_STORAGE when the
   * disk fails. A partial of another source is removed: at most one is kept.
   */
  async create(meta: SnapshotMeta, source?: SnapshotSource): Promise<SnapshotSink> {
    checkMeta(meta)
    if (source !== undefined) checkSource(source)
    const period = await this.#begin()
    const kind = source === undefined ? 'local' : 'received'
    if (period.sinks.has(kind)) throw openSink(kind)
    // The place is taken before the first await, so that two calls can't both find it free.
    period.sinks.set(kind, null)
    let position: SnapshotPosition = { index: meta.lastIncludedIndex, sequence: 0 }
    const name = source === undefined ? `local-${randomUUID()}.tmp` : `received-${hex(source.digest)}.partial`
    try {
      if (source !== undefined) await this.#removeAll((other) => RECEIVED.test(other) && other !== name)
      const sink = await FileSink.open({
        directory: this.#directory,
        name,
        meta,
        source: source === undefined ? undefined : { ...source, digest: new Uint8Array(source.digest) },
        finalName: () => {
          position = { ...position, sequence: period.sequence++ }
          return snapshotFileName(position)
        },
        committed: () => this.#commit(period, position),
        ended: () => period.sinks.delete(kind),
      })
      period.sinks.set(kind, sink)
      return sink
    } catch (error) {
      period.sinks.delete(kind)
      throw error
    }
  }

  /** Rejects with RAFT_CORRUPTION or RAFT_VERSION when the newest file can't be trusted; no older one takes its place. */
  async latest(): Promise<StoredSnapshot | null> {
    const period = await this.#begin()
    const newest = newestOf(period)
    return newest === null ? null : await newest.snapshot()
  }

  /** Ends open sinks and reads; a received partial is kept until a snapshot as new is there. The store may be used again afterwards, as after a restart. */
  async close(): Promise<void> {
    const begun = this.#period
    if (begun === null) return
    this.#period = null
    const period = await begun.catch(() => null)
    if (period === null) return
    period.closed = true
    for (const sink of [...period.sinks.values()]) await sink?.suspend()
  }

  #begin(): Promise<Period> {
    if (this.#period !== null) return this.#period
    const begun = this.#load()
    this.#period = begun
    begun.catch(() => {
      if (this.#period === begun) this.#period = null
    })
    return begun
  }

  async #load(): Promise<Period> {
    await ensureDirectory(this.#directory)
    const period: Period = { closed: false, files: new Map(), sinks: new Map(), sequence: 1 }
    // A crash left them; nobody knows what they would have become.
    const names = await this.#removeAll((name) => LOCAL.test(name))
    for (const name of names) {
      const position = parseSnapshotFileName(name)
      if (position === null) continue
      period.files.set(name, new SnapshotFile(this.#directory, position, () => period.closed))
      period.sequence = Math.max(period.sequence, position.sequence + 1)
    }
    await this.#removeSpent(names, newestOf(period)?.position.index ?? 0)
    return period
  }

  /** An abandoned transfer would take its room for ever: no other one may come that takes its place. */
  async #removeSpent(names: readonly string[], newestIndex: LogIndex): Promise<void> {
    const spent = new Set<string>()
    for (const name of names.filter((each) => RECEIVED.test(each))) {
      if (await isSpentPartial(join(this.#directory, name), newestIndex)) spent.add(name)
    }
    if (spent.size > 0) await this.#removeAll((name) => spent.has(name))
  }

  async #commit(period: Period, position: SnapshotPosition): Promise<StoredSnapshot> {
    const file = new SnapshotFile(this.#directory, position, () => period.closed)
    const stored = await file.snapshot()
    period.files.set(snapshotFileName(position), file)
    const newest = newestOf(period)
    for (const [name, older] of [...period.files]) {
      if (older === newest) continue
      // The commit is done: a file that can't be removed now is tried again after the next one.
      const retired = await older.retire().then(
        () => true,
        () => false,
      )
      if (retired) period.files.delete(name)
    }
    return stored
  }

  /** Removes the files that `matches` names; returns the names of the others. */
  async #removeAll(matches: (name: string) => boolean): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#directory)
      for (const name of names) if (matches(name)) await rm(join(this.#directory, name), { force: true })
      return names.filter((name) => !matches(name))
    } catch (error) {
      throw fileFailure(`The snapshots in '${this.#directory}' can't be listed or cleaned up`, error)
    }
  }
}

/** The one with the highest index, of those the last committed. */
function newestOf(period: Period): SnapshotFile | null {
  let newest: SnapshotFile | null = null
  for (const file of period.files.values()) {
    const above = newest === null ? 1 : file.position.index - newest.position.index
    if (newest === null || above > 0 || (above === 0 && file.position.sequence > newest.position.sequence))
      newest = file
  }
  return newest
}
