// What a store and the lives of a node on it are told apart by: the time at which the store was made, with which its id begins,
// and chance.
import type { StoreIdentity } from '../interfaces/log-store.js'

/** Hexadecimal digits of the wall clock, ms, that a store id begins with. */
const TIME_DIGITS = 12

/** When it was made, and what is random. */
export function makeStoreId(wallMs: number, random: string): string {
  return Math.floor(wallMs).toString(16).padStart(TIME_DIGITS, '0') + random.slice(0, 32 - TIME_DIGITS)
}

/**
 * The number of this life of the node, which forwards and reads are told apart by: it rises also from a store that was lost
 * to the one that takes its place, whose boots are counted from 1 again (F16, F21, H66).
 */
export function bootNumber({ storeId, bootCount }: StoreIdentity): number {
  return madeAt({ storeId }) + bootCount
}

/** When the store was made, ms since 1970; 0 where its id does not say. */
export function madeAt({ storeId }: Pick<StoreIdentity, 'storeId'>): number {
  const made = /^[0-9a-f]{12}/.exec(storeId)
  return made === null ? 0 : Number.parseInt(made[0], 16)
}

/** 128 random bits: the one thing that is not decided by clock and seed, because a wiped disk must differ. */
export function randomId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
