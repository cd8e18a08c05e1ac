// A short name for a bootstrap list, the same on every node that was given the same one: sorted ids and suffrages. The
// addresses are left out, because a node that binds 0.0.0.0 must not differ from its peers (F25).
import type { Configuration } from '../core/types.js'

const OFFSET_BASIS = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n
const MASK = 0xffffffffffffffffn

/** FNV-1a, 64 bits, in hexadecimal; '' for no list. It tells lists apart, it is no protection against a forger. */
export function bootstrapDigest(bootstrap: Configuration | null): string {
  if (bootstrap === null) return ''
  const lines = bootstrap.members.map((member) => `${member.id} ${member.suffrage}\n`).sort()
  let hash = OFFSET_BASIS
  for (const character of lines.join('')) {
    // Ids and suffrages are ASCII.
    hash = ((hash ^ BigInt(character.charCodeAt(0))) * PRIME) & MASK
  }
  return hash.toString(16).padStart(16, '0')
}
