// How fresh reads are, as flags, commands and queries name it: the levels of the library, under its names.
import type { ReadOptions, ReadResult } from 'helios-raft'

export const READ_CONSISTENCIES = ['linearizable', 'lease', 'local'] as const

/** `linearizable`: proven by a round to a quorum; `lease`: trusts the leader's lease; `local`: this node's state as it is. */
export type ReadConsistency = (typeof READ_CONSISTENCIES)[number]

/** As people are told them. */
export const READ_CONSISTENCY_NAMES = 'linearizable, lease or local'

export function isReadConsistency(text: string): text is ReadConsistency {
  return (READ_CONSISTENCIES as readonly string[]).includes(text)
}

/** The options of a read at any of the levels; one that the node does not serve is its own to refuse. */
export interface LevelledReadOptions extends Omit<ReadOptions, 'consistency'> {
  readonly consistency?: ReadConsistency | undefined
}

/** What reads need of a RaftNode. */
export interface ReadingNode {
  read<T>(query: () => T, options?: LevelledReadOptions): Promise<ReadResult<Awaited<T>>>
}
