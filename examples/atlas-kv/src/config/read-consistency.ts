// How fresh reads are, as flags, commands and queries name it: the levels of the library, under its names.
import type { ReadConsistency } from 'helios-raft'

export const READ_CONSISTENCIES: readonly ReadConsistency[] = ['linearizable', 'lease', 'local']

/** As people are told them. */
export const READ_CONSISTENCY_NAMES = 'linearizable, lease or local'

export function isReadConsistency(text: string): text is ReadConsistency {
  return (READ_CONSISTENCIES as readonly string[]).includes(text)
}
