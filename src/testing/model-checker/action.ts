// What can happen next to one node. A number stands for each, so that the way to millions of states fits in memory.
import type { Packet } from './packet.js'

export type LocalAction =
  | 'electionTimeout'
  | 'quorumLost'
  | 'heartbeatDue'
  | 'propose'
  | 'persist'
  | 'crash'
  | 'crashAfterWrite'
  | 'read'

/** By number. */
export const LOCAL_ACTIONS: readonly LocalAction[] = [
  'electionTimeout',
  'quorumLost',
  'heartbeatDue',
  'propose',
  'persist',
  'crash',
  'crashAfterWrite',
  'read',
]

export type Action =
  | { readonly type: 'local'; readonly action: LocalAction /** Id of a read. */; readonly read: number }
  | {
      readonly type: 'deliver'
      readonly packet: Packet
      /** After a wait: a leader was heard too long ago, or a heartbeat interval passed without an answer. */
      readonly isLate: boolean
    }

const IN_WORDS: Readonly<Record<LocalAction, string>> = {
  electionTimeout: "'s election timeout is over",
  quorumLost: ' heard no quorum for an election timeout',
  heartbeatDue: "'s heartbeat is due",
  propose: ' takes a command',
  persist: "'s write is durable",
  crash: ' crashes, loses what was not durable, and restarts',
  crashAfterWrite: ' crashes when its write has just become durable, and restarts',
  read: ' is asked to read',
}

/** In words, beginning with the node's name. */
export function localActionText(node: string, action: LocalAction): string {
  return `${node}${IN_WORDS[action]}`
}
