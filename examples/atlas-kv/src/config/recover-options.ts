// The words of `atlasctl recover`: which stores, who survives, and whether anything is to be changed. Checked before anything
// is opened; touches nothing.
import { join } from 'node:path'
import type { Flags, FlagSpec } from './flags.js'
import { quote } from './flags.js'
import { UsageError } from './usage-error.js'
import { addressOf, formatAddress, isWildcard, nodeIdOf } from './values.js'

export interface RecoverCommand {
  readonly command: 'recover'
  readonly dataDirectory: string
  readonly raftDirectory: string
  /** The survivor. */
  readonly nodeId: string
  /** `host:port`, where others will reach it. */
  readonly raft: string
  /** Changes nothing. */
  readonly dryRun: boolean
}

export const RECOVER_COMMAND: { readonly usage: string; readonly flags: readonly FlagSpec[] } = {
  usage: 'recover          one survivor of a quorum that is lost for ever goes on alone; its server must not run',
  flags: [
    { name: 'data-dir', kind: 'value', placeholder: 'DIR', help: 'of the survivor; needed' },
    { name: 'raft-data-dir', kind: 'value', placeholder: 'DIR', help: 'where its log lies (default <data-dir>/raft)' },
    { name: 'members', kind: 'value', placeholder: 'ID=HOST:PORT', help: 'the survivor, with its --raft-addr; needed' },
    { name: 'dry-run', kind: 'boolean', help: 'print what would be kept, change nothing (default false)' },
  ],
}

const USAGE = 'atlasctl recover --data-dir DIR --members ID=HOST:PORT [--dry-run]'

/** @param words - the command, then what belongs to it. Throws UsageError. */
export function resolveRecoverCommand(words: readonly string[], flags: Flags): RecoverCommand {
  const [, extra] = words
  if (extra !== undefined) throw new UsageError(`unexpected argument ${quote(extra)}: ${USAGE}`)
  const dataDirectory = flags.get('data-dir') ?? ''
  if (dataDirectory === '') throw new UsageError(`recover needs --data-dir DIR, that of the survivor: ${USAGE}`)
  return {
    command: 'recover',
    dataDirectory,
    raftDirectory: flags.get('raft-data-dir') ?? join(dataDirectory, 'raft'),
    ...survivorOf(flags.get('members') ?? ''),
    dryRun: flags.get('dry-run') === 'true',
  }
}

/** One and no more: two survivors would not agree on what is kept. */
function survivorOf(members: string): Pick<RecoverCommand, 'nodeId' | 'raft'> {
  if (members === '') throw new UsageError(`recover needs --members ID=HOST:PORT, the survivor: ${USAGE}`)
  if (members.includes(','))
    throw new UsageError(
      `--members ${quote(members)} names several: one survivor goes on, the others are wiped and added again`,
    )
  const at = members.indexOf('=')
  if (at < 0) throw new UsageError(`--members ${quote(members)} is not ID=HOST:PORT, such as node-1=10.0.0.1:7000`)
  const raft = addressOf(members.slice(at + 1), '--members')
  if (isWildcard(raft))
    throw new UsageError(`--members ${quote(members)} names no host: others are to reach the survivor there`)
  return { nodeId: nodeIdOf(members.slice(0, at), '--members'), raft: formatAddress(raft) }
}
