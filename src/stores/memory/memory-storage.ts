// Both memory stores at once, to be spread into the options of a node. Owns nothing else (F35).
import type { RaftStorage } from '../../interfaces/snapshot-store.js'
import { MemoryLogStore } from './memory-log-store.js'
import { MemorySnapshotStore } from './memory-snapshot-store.js'

/** Storage that lasts as long as the process: `new RaftNode({ ...memoryStorage(), ... })`. For tests, examples and browsers. */
export function memoryStorage(): RaftStorage {
  return { logStore: new MemoryLogStore(), snapshotStore: new MemorySnapshotStore() }
}
