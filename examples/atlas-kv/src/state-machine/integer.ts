// Integers as Redis reads and prints them in values: 64 bits, signed, decimal, one spelling each. Small ones go by
// plain numbers, because a bigint costs ten times as much; the result is the same.

const MINUS = 45
const ZERO = 48
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
/** Fifteen digits and a sign are always a safe integer. */
const SAFE_LENGTH = 15

/** Whether a sum or an argument fits 64 bits. */
export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX
}

/** A number where it is a safe one. */
export function narrow(value: bigint): number | bigint {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}

/** The integer that `bytes` spells, or null: no plus, no leading zeros, no spaces, no `-0`. */
export function parseInteger(bytes: Uint8Array): number | bigint | null {
  const negative = bytes[0] === MINUS
  const first = negative ? 1 : 0
  const digits = bytes.length - first
  if (digits < 1 || digits > 19) return null
  if (bytes[first] === ZERO && (digits > 1 || negative)) return null
  let value = 0
  for (let i = first; i < bytes.length; i++) {
    const digit = (bytes[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return null
    value = value * 10 + digit
  }
  if (digits <= SAFE_LENGTH) return negative ? -value : value
  const exact = BigInt(String.fromCharCode(...bytes))
  return fitsInt64(exact) ? narrow(exact) : null
}

/** Adds within 64 bits; null when it overflows. */
export function addInteger(value: number | bigint, by: bigint): number | bigint | null {
  if (typeof value === 'number' && by >= -(2n ** 52n) && by <= 2n ** 52n) {
    const sum = value + Number(by)
    if (Number.isSafeInteger(sum)) return sum
  }
  const sum = BigInt(value) + by
  return fitsInt64(sum) ? narrow(sum) : null
}
