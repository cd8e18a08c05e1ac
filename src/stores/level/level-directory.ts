// LevelDB in a directory of ours: nothing is touched before open(), which makes the directory, takes the lock and
// refuses a database that has lost its root file, where LevelDB itself would begin an empty one (H85, H88).
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { RaftError } from '../../errors.js'
import { ensureDirectory } from '../files/directory.js'
import type { BytesOptions, LevelBatch, LevelDatabase, LevelIterator, LevelRange } from './database.js'
import { LEAVE_OFF } from './failures.js'
import { refuseDamagedJournal } from './journal.js'

/** The folder of the database in the directory of a storage. */
const FOLDER = 'log'
/** What is only there after the database has been in use: tables and its own journal. */
const CONTENT = /\.(ldb|sst|log)$/

/** A LevelDatabase that lies in `<location>/log`. */
export class LevelDirectory implements LevelDatabase {
  readonly location: string
  readonly supports: { readonly implicitSnapshots: boolean } = { implicitSnapshots: true }
  #level: Level<Uint8Array, Uint8Array> | null = null

  constructor(location: string) {
    this.location = location
  }

  async open(): Promise<void> {
    const folder = join(this.location, FOLDER)
    await ensureDirectory(folder)
    await refuseLostRoot(folder)
    await refuseDamagedJournal(folder)
    const level = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
    await level.open()
    this.#level = level
  }

  async close(): Promise<void> {
    const level = this.#level
    this.#level = null
    await level?.close()
  }

  async get(key: Uint8Array, options: BytesOptions): Promise<Uint8Array | undefined> {
    return await this.#required().get(key, options)
  }

  batch(): LevelBatch {
    return this.#required().batch()
  }

  iterator(options: LevelRange): LevelIterator {
    return this.#required().iterator(options)
  }

  async clear(options: LevelRange): Promise<void> {
    await this.#required().clear(options)
  }

  #required(): Level<Uint8Array, Uint8Array> {
    if (this.#level === null) throw new RaftError('RAFT_STOPPED', `The database in '${this.location}' is not open.`)
    return this.#level
  }
}

async function refuseLostRoot(folder: string): Promise<void> {
  const names = await readdir(folder)
  const orphan = names.includes('CURRENT') ? undefined : names.find((name) => CONTENT.test(name))
  if (orphan === undefined) return
  const text = `The log in '${folder}' is damaged: its file CURRENT is missing although '${orphan}' is there`
  throw new RaftError('RAFT_CORRUPTION', `${text}. ${LEAVE_OFF}.`)
}
