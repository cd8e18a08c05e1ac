// What goes into the log and what comes out of it: plain data, no behaviour. Keys are byte strings (one character per
// byte, latin1), so that any byte may stand in them and a Map can hold them (H103). Never holds a clock reading of a
// client's or follower's: relative times stay relative until apply gives them the entry's timestamp (H74).

/** A key, one character (U+0000 to U+00FF) per byte. */
export type ByteString = string

/** When a value goes away: relative to the entry's timestamp or at a time since 1970, both in ms. */
export type ExpiryTime = { readonly inMs: number } | { readonly atMs: number }

/** `null` removes an expiry, `keep` leaves the one that the key has. */
export type SetExpiry = ExpiryTime | 'keep' | null

/** Under which a SET takes effect; `{ index }` is the modification index that the key must still have. */
export type SetCondition = 'always' | 'absent' | 'present' | { readonly index: number }

/** Under which an EXPIRE takes effect, as the options NX, XX, GT and LT of Redis. */
export type ExpireCondition = 'always' | 'absent' | 'present' | 'greater' | 'less' | 'presentGreater' | 'presentLess'

export interface SetCommand {
  readonly type: 'set'
  readonly key: ByteString
  readonly value: Uint8Array
  readonly condition: SetCondition
  readonly expiry: SetExpiry
  /** Answer with the value before, instead of OK or nil. */
  readonly returnPrevious: boolean
}

export interface ExpireCommand {
  readonly type: 'expire'
  readonly key: ByteString
  readonly time: ExpiryTime
  readonly condition: ExpireCondition
}

/** What a request with an Idempotency-Key asks for, and the digest that tells another request under the same key from it. */
export interface OnceCommand {
  readonly type: 'once'
  /** 32 bytes. */
  readonly digest: Uint8Array
  readonly command: SetCommand | DeleteCommand
}

export interface DeleteCommand {
  readonly type: 'delete'
  readonly keys: readonly ByteString[]
}

/** Everything that changes the state. `tick` only lets log time pass. */
export type KvCommand =
  | OnceCommand
  | SetCommand
  | ExpireCommand
  | DeleteCommand
  | { readonly type: 'increment'; readonly key: ByteString; readonly by: bigint }
  | { readonly type: 'persist'; readonly key: ByteString }
  | { readonly type: 'setMany'; readonly pairs: readonly (readonly [key: ByteString, value: Uint8Array])[] }
  | { readonly type: 'flush' }
  | { readonly type: 'tick' }

/** Why a command that was applied changed nothing. A value, not an exception: replicas must agree on it (H75). */
export type KvFailure = 'notInteger' | 'overflow' | 'expiryOutOfRange'

/** `null` is Redis's nil. Numbers outside the safe integers come as bigint, within 64 bits. */
export type KvResult = 'OK' | null | number | bigint | Uint8Array | { readonly failure: KvFailure } | OnceResult

/** Of the request that ran, which its session gives to whoever repeats it; short, because it is kept for a day. */
export interface OnceResult {
  readonly digest: Uint8Array
  /** Where SET would return the value before, `OK` says that there was one. */
  readonly result: 'OK' | null | number | { readonly failure: KvFailure }
}

/** Expiries lie below it, so that no sum of two leaves the safe integers; about 142,000 years. */
export const MAX_EXPIRY_MS = 2 ** 52

/** Whether a result is a failure of the command itself. */
export function isFailure(result: KvResult): result is { readonly failure: KvFailure } {
  return typeof result === 'object' && result !== null && 'failure' in result
}

/** Whether it is that of a `once`. */
export function isOnceResult(result: KvResult): result is OnceResult {
  return typeof result === 'object' && result !== null && 'digest' in result
}
