// Whether the messages that the limits of a node allow fit what another one takes (F13): an entry that is durable and fits no
// frame would block the log for ever. Decides nothing.
import { entryOverheadBytes } from '../codec/entries-field.js'
import { messageOverheadBytes } from '../codec/message-codec.js'
import type { ResolvedLimits } from './options.js'

/** The first of the limits that needs larger messages than these, with its headers; null for none. */
export function excessOf(
  limits: ResolvedLimits,
  maxMessageBytes: number,
): { readonly name: 'commandBytes' | 'snapshotChunkBytes'; readonly neededBytes: number } | null {
  for (const name of ['commandBytes', 'snapshotChunkBytes'] as const) {
    const neededBytes = limits[name] + messageOverheadBytes + entryOverheadBytes
    if (maxMessageBytes < neededBytes) return { name, neededBytes }
  }
  return null
}
