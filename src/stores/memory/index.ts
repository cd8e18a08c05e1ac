// Stores that last as long as the process. Part of the public root: no Node built-ins below here.
export { MemoryLogStore } from './memory-log-store.js'
export { MemorySnapshotStore } from './memory-snapshot-store.js'
export { memoryStorage } from './memory-storage.js'
