// The command that starts a node on a directory which atlasctl has made or mended, as the guides start one: from the clone, with
// HTTP, which others join by. Pure.
import { join } from 'node:path'
import type { RestoreCommand } from '../config/atlasctl-options.js'
import { addressOf, isLoopback } from '../config/values.js'

const HTTP = '127.0.0.1:8080'

/** Words that a shell takes as they stand. */
export function startLine({
  dataDirectory,
  raftDirectory,
  nodeId,
  raft,
}: Pick<RestoreCommand, 'dataDirectory' | 'raftDirectory' | 'nodeId' | 'raft'>): string {
  const words = ['npx helios-atlasd', `--data-dir ${quoted(dataDirectory)}`]
  if (raftDirectory !== join(dataDirectory, 'raft')) words.push(`--raft-data-dir ${quoted(raftDirectory)}`)
  words.push(`--raft-node-id ${nodeId}`, `--raft-addr ${raft}`)
  // Beyond this machine a server does not start without it.
  if (!isLoopback(addressOf(raft, '--raft-addr'))) words.push('--insecure')
  return [...words, `--http ${HTTP}`].join(' ')
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
