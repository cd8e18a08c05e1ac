// helios-raft/files: snapshots as files.
export { FileSnapshotStore } from './file-snapshot-store.js'
export type { FileSnapshotStoreOptions } from './file-snapshot-store.js'
