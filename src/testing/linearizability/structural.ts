// Equality and hashes of states and inputs that are plain data. Equality is exact; a hash looks at a bounded part of the
// value, because it only has to send equal values to one place.
import { isDeepStrictEqual } from 'node:util'

/** Most items of each array or object, counted from both ends, that a hash looks at. */
const HASHED_ITEMS = 8
/** How deep a hash looks. */
const HASHED_DEPTH = 3

/** Same structure and same values; -0 is not 0, and NaN is NaN. */
export function structurallyEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  return isDeepStrictEqual(a, b)
}

/** 32 bits, the same for structurally equal values. */
export function structuralHash(value: unknown, depth = 0): number {
  switch (typeof value) {
    case 'string':
      return hashText(value)
    case 'number':
      return mix32(Number.isInteger(value) ? value | 0 : Math.trunc(value * 1_000_003) | 0)
    case 'boolean':
      return value ? 0x5bd1e995 : 0x1b873593
    case 'object':
      return value === null || depth >= HASHED_DEPTH ? 1 : hashObject(value, depth)
    default:
      return 2
  }
}

/** Spreads 32 bits: a bijection. */
export function mix32(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}

function hashText(text: string): number {
  let hash = text.length
  const tail = Math.max(0, text.length - HASHED_ITEMS)
  for (let at = Math.min(HASHED_ITEMS, tail) - 1; at >= 0; at--)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  for (let at = tail; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix32(hash)
}

function hashObject(value: object, depth: number): number {
  if (Array.isArray(value)) return hashArray(value, depth)
  if (value instanceof Map || value instanceof Set) return mix32(value.size)
  // Two objects are equal whatever the order of their fields is, so the sum must not depend on it.
  const names = Object.keys(value)
  let hash = names.length
  if (names.length > 2 * HASHED_ITEMS) return mix32(hash)
  for (const name of names) {
    hash = (hash + mix32(hashText(name) ^ structuralHash((value as Record<string, unknown>)[name], depth + 1))) | 0
  }
  return hash
}

function hashArray(list: readonly unknown[], depth: number): number {
  let hash = list.length
  const tail = Math.max(0, list.length - HASHED_ITEMS)
  for (let at = Math.min(HASHED_ITEMS, tail) - 1; at >= 0; at--)
    hash = mix32(hash ^ structuralHash(list[at], depth + 1))
  for (let at = tail; at < list.length; at++) hash = mix32(hash ^ structuralHash(list[at], depth + 1))
  return hash
}
