// helios-raft/level: the log in LevelDB or any other abstract-level database.
export type { BytesOptions, LevelBatch, LevelDatabase, LevelIterator, LevelRange } from './database.js'
export { LevelLogStore } from './level-log-store.js'
export type { LevelLogStoreOptions } from './level-log-store.js'
export { levelStorage } from './level-storage.js'
export type { LevelStorageOptions } from './level-storage.js'
