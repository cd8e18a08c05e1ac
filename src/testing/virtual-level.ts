// An abstract-level database on a simulated disk, for the real LevelLogStore: a batch is atomic, what was written without
// `sync` may be gone after a crash, and a record may rot. It speaks only what LevelLogStore uses (F35, H79, H80).
import type { LevelBatch, LevelDatabase, LevelIterator, LevelRange } from '../stores/level/database.js'

/** One change of one key; a null value deletes. */
export interface LevelChange {
  readonly key: string
  readonly value: Uint8Array | null
}

/** How a database of one incarnation reaches the disk that it lies on. */
export interface LevelAccess {
  /** Settles in its own time, or never when the process is dead by then. */
  later<T>(answer: () => T): Promise<T>
  /** Writes a batch; `commit` is called when it is there, `sync` says whether it must be durable then. */
  write(changes: readonly LevelChange[], sync: boolean): Promise<void>
}

/** The records; they survive the crashes of the process. */
export class VirtualLevel {
  readonly #values = new Map<string, Uint8Array>()
  /** Sorted; entries of a log are nearly always put at the end. */
  readonly #keys: string[] = []
  /** Batches that no later sync has made durable yet, and how to undo them. */
  #unsynced: (readonly LevelChange[])[] = []

  /** A batch takes effect. A synced one makes all before it durable, as one log file does. */
  apply(changes: readonly LevelChange[], isSynced: boolean): void {
    const undo = changes.map(({ key }) => ({ key, value: this.#values.get(key) ?? null }))
    for (const change of changes) this.#set(change)
    if (isSynced) this.#unsynced = []
    else this.#unsynced.push(undo.reverse())
  }

  /** The machine stopped: of the batches that nobody synced the last `lostCount` are gone. */
  crash(lostCount: (unsynced: number) => number): void {
    for (let left = lostCount(this.#unsynced.length); left > 0; left--) {
      for (const change of this.#unsynced.pop() ?? []) this.#set(change)
    }
    this.#unsynced = []
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)?.slice()
  }

  /** Flips a bit of the record, where there is one. */
  rot(key: string): void {
    const value = this.#values.get(key)
    if (value === undefined || value.length === 0) return
    const damaged = value.slice()
    const at = damaged.length >> 1
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    this.#values.set(key, damaged)
  }

  /** The records of a range as they are now. */
  range({ gt, gte, lt, limit = Number.POSITIVE_INFINITY }: LevelRange): [Uint8Array, Uint8Array][] {
    const from = gte !== undefined ? this.#position(keyText(gte)) : gt !== undefined ? this.#after(keyText(gt)) : 0
    const end = lt === undefined ? this.#keys.length : this.#position(keyText(lt))
    return this.#keys
      .slice(from, Math.min(end, from + limit))
      .map((key) => [keyBytes(key), (this.#values.get(key) as Uint8Array).slice()])
  }

  #set({ key, value }: LevelChange): void {
    const isThere = this.#values.has(key)
    if (value !== null) {
      this.#values.set(key, value)
      if (!isThere) this.#keys.splice(this.#position(key), 0, key)
    } else if (isThere) {
      this.#values.delete(key)
      this.#keys.splice(this.#position(key), 1)
    }
  }

  /** Where the first key that is not below `key` stands. */
  #position(key: string): number {
    let low = 0
    let high = this.#keys.length
    if (high > 0 && (this.#keys[high - 1] as string) < key) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #after(key: string): number {
    const at = this.#position(key)
    return this.#keys[at] === key ? at + 1 : at
  }
}

/** A key as text whose order is that of the bytes. */
export function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

function keyBytes(key: string): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0))
}

/** What one incarnation of a process opens. */
export class VirtualLevelDatabase implements LevelDatabase {
  readonly location = 'a simulated disk'
  readonly supports: { readonly implicitSnapshots: boolean } = Object.freeze({ implicitSnapshots: true })
  readonly #level: VirtualLevel
  readonly #access: LevelAccess

  constructor(level: VirtualLevel, access: LevelAccess) {
    this.#level = level
    this.#access = access
  }

  open(): Promise<void> {
    return this.#access.later(() => {})
  }

  close(): Promise<void> {
    return this.#access.later(() => {})
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#access.later(() => this.#level.get(keyText(key)))
  }

  batch(): LevelBatch {
    const changes: LevelChange[] = []
    return {
      put: (key, value) => void changes.push({ key: keyText(key), value: value.slice() }),
      del: (key) => void changes.push({ key: keyText(key), value: null }),
      write: ({ sync }) => this.#access.write(changes, sync),
      close: () => Promise.resolve(),
    }
  }

  clear(range: LevelRange): Promise<void> {
    const changes = this.#level.range(range).map(([key]): LevelChange => ({ key: keyText(key), value: null }))
    return this.#access.write(changes, false)
  }

  iterator(range: LevelRange): LevelIterator {
    const records = this.#level.range(range)
    let at = 0
    return {
      nextv: (size) => {
        return this.#access.later(() => {
          const page = records.slice(at, at + size)
          at += size
          return page
        })
      },
      close: () => Promise.resolve(),
    }
  }
}
