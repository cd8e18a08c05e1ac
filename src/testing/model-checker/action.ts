// What can happen next to one node. A number stands for each, its code, so that the way to millions of states fits in
// memory.
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
  | 'transfer'
  | 'transferOver'
  | 'change'
  | 'snapshot'
  | 'install'
  | 'found'
  | 'wipe'
  | 'readByLease'
  | 'timePasses'

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
  'transfer',
  'transferOver',
  'change',
  'snapshot',
  'install',
  'found',
  'wipe',
  'readByLease',
  'timePasses',
]

/** Most values of a parameter: ids of reads from 1 on, positions of nodes, positions of changes. */
export const PARAMETERS = 16

/** Codes of deliveries begin here; those of local actions lie below. */
export const FIRST_DELIVERY: number = LOCAL_ACTIONS.length * PARAMETERS

/** @param parameter - the id of a read, the node that leadership is handed to, or which change; 0 for the others */
export function localCode(action: LocalAction, parameter = 0): number {
  return LOCAL_ACTIONS.indexOf(action) * PARAMETERS + parameter
}

/** What happens by a local code; undefined for a delivery. */
export function localActionOf(code: number): { readonly action: LocalAction; readonly parameter: number } | undefined {
  const action = LOCAL_ACTIONS[Math.floor(code / PARAMETERS)]
  return action === undefined ? undefined : { action, parameter: code % PARAMETERS }
}

export type Action =
  | { readonly type: 'local'; readonly action: LocalAction; readonly parameter: number }
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
  transfer: ' is asked to hand over',
  transferOver: ' gives up handing over',
  change: ' is asked for other members',
  snapshot: ' takes a snapshot, and compacts its log',
  install: ' goes on installing a snapshot',
  found: ' founds the cluster',
  wipe: ' crashes, and its disk is lost with it',
  readByLease: ' is asked to read, and has a lease',
  timePasses: "'s clock, and every other one, goes on by half an election timeout",
}

/** In words, beginning with the node's name. */
export function localActionText(node: string, action: LocalAction): string {
  return `${node}${IN_WORDS[action]}`
}
