// Which values a general codec may carry: what comes back from the log equals what went in, on every node. Anything
// else, a class, `undefined`, a function, a hole, is refused when it is proposed, because by the time it was decoded
// it would silently be something else (H103, H104).
import { RaftError } from '../errors.js'

/** Deepest nesting that a plain value may have; also what ends a cycle. */
const MAX_DEPTH = 64

export interface PlainValueRules {
  /** Names the codec in the message. */
  readonly codec: string
  /** Whether a Uint8Array may occur. */
  readonly bytes: boolean
  /** Whether NaN and the infinities may occur. */
  readonly nonFinite: boolean
}

/** @throws RaftError RAFT_INVALID_OPTION that names the place of the first part that the codec can't carry. */
export function assertPlainValue(value: unknown, rules: PlainValueRules): void {
  check(value, rules, '', 0)
}

function check(value: unknown, rules: PlainValueRules, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!rules.nonFinite && !Number.isFinite(value)) refuse(rules, path, `the number ${value}`)
      return
    case 'object':
      if (value !== null) checkObject(value, rules, path, depth)
      return
    default:
      refuse(rules, path, value === undefined ? 'undefined' : `a ${typeof value}`)
  }
}

function checkObject(value: object, rules: PlainValueRules, path: string, depth: number): void {
  if (depth >= MAX_DEPTH) refuse(rules, path, `something nested deeper than ${MAX_DEPTH}, or a cycle`)
  if (Array.isArray(value)) {
    // Not forEach: it skips holes.
    for (let at = 0; at < value.length; at++) check(value[at], rules, `${path}[${at}]`, depth + 1)
    return
  }
  if (value instanceof Uint8Array) {
    if (!rules.bytes) refuse(rules, path, 'bytes')
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) refuse(rules, path, `a ${nameOf(value)}`)
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(rules, path, 'a symbol as a key')
  for (const key of Object.keys(value)) {
    if (key === '__proto__') refuse(rules, path, "the key '__proto__'")
    check((value as Record<string, unknown>)[key], rules, path === '' ? key : `${path}.${key}`, depth + 1)
  }
}

function nameOf(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? name : 'class instance'
}

function refuse(rules: PlainValueRules, path: string, found: string): never {
  const place = path === '' ? 'the value' : `'${path}'`
  throw new RaftError(
    'RAFT_INVALID_OPTION',
    `${rules.codec} carries plain values only, and ${place} is ${found}: convert it first, or give the node a codec of your own`,
  )
}
