// Everything that a node keeps, in one directory: the log in LevelDB, snapshots as files beside it. The log's lock
// guards both. Owns the names in the directory, not what lies behind them (F35, F36).
import { join, resolve } from 'node:path'
import { RaftError } from '../../errors.js'
import type { RaftStorage } from '../../interfaces/snapshot-store.js'
import { FileSnapshotStore } from '../files/index.js'
import { LevelDirectory } from './level-directory.js'
import { LevelLogStore } from './level-log-store.js'

export interface LevelStorageOptions {
  /** Made with mode 0700 when the node starts, if it isn't there. One node, one directory. */
  readonly directory: string
}

const SNAPSHOTS = 'snapshots'

/**
 * LevelDB log and file snapshots in one directory: `new RaftNode({ ...levelStorage({ directory: 'data' }), ... })`.
 * Touches nothing until the node starts; a directory in use is RAFT_LOCKED then.
 */
export function levelStorage(options: LevelStorageOptions): RaftStorage {
  const { directory } = options
  if (typeof directory !== 'string' || directory === '') {
    throw new RaftError(
      'RAFT_INVALID_OPTION',
      `directory is ${JSON.stringify(directory)}: give the path of a directory`,
    )
  }
  const location = resolve(directory)
  return {
    logStore: new LevelLogStore({ database: new LevelDirectory(location) }),
    snapshotStore: new FileSnapshotStore({ directory: join(location, SNAPSHOTS) }),
  }
}
