// The commands that read and write keys: arguments in, steps out, with Redis's checks in Redis's order. No I/O.
import type { ExpireCondition, KvCommand, SetCommand, SetCondition, SetExpiry } from '../state-machine/command.js'
import type { KvEntry, KvState } from '../state-machine/kv-state.js'
import { NEVER } from '../state-machine/kv-state.js'
import type { Arguments } from './arguments.js'
import {
  argument,
  CommandError,
  expiryTime,
  integerAt,
  invalidExpiry,
  keyAt,
  keysFrom,
  SYNTAX_ERROR,
  valueAt,
  wordAt,
  wrongArity,
} from './arguments.js'
import type { CommandSpec } from './command-spec.js'
import type { ReadStep, ReadValue, WriteStep } from './step.js'
import { writeResult, writeValue } from './step.js'

const INT64_MIN = -(2n ** 63n)

export const DATA_COMMANDS: readonly CommandSpec[] = [
  read('get', 2, [1, 1, 1], ['fast'], (args) => {
    const key = keyAt(args, 1)
    return (state) => state.get(key)?.value ?? null
  }),
  read('mget', -2, [1, -1, 1], ['fast'], (args) => {
    const keys = keysFrom(args, 1)
    return (state) => keys.map((key) => state.get(key)?.value ?? null)
  }),
  read('exists', -2, [1, -1, 1], ['fast'], (args) => {
    const keys = keysFrom(args, 1)
    return (state) => keys.reduce((count, key) => count + (state.get(key) === null ? 0 : 1), 0)
  }),
  read('ttl', 2, [1, 1, 1], ['fast'], (args) => remaining(args, 1000)),
  read('pttl', 2, [1, 1, 1], ['fast'], (args) => remaining(args, 1)),
  read('dbsize', 1, [0, 0, 0], ['fast'], () => (state) => state.size),
  write('set', -3, [1, 1, 1], ['denyoom'], parseSet),
  write('del', -2, [1, -1, 1], [], (args) => ({ type: 'delete', keys: keysFrom(args, 1) })),
  write('incr', 2, [1, 1, 1], ['denyoom', 'fast'], (args) => increment(args, 1n)),
  write('decr', 2, [1, 1, 1], ['denyoom', 'fast'], (args) => increment(args, -1n)),
  write('incrby', 3, [1, 1, 1], ['denyoom', 'fast'], (args) => increment(args, integerAt(args, 2))),
  write('decrby', 3, [1, 1, 1], ['denyoom', 'fast'], (args) => {
    const by = integerAt(args, 2)
    if (by === INT64_MIN) throw new CommandError('ERR decrement would overflow')
    return increment(args, -by)
  }),
  write('mset', -3, [1, -1, 2], ['denyoom'], parseMset),
  write('expire', -3, [1, 1, 1], ['fast'], (args) => parseExpire(args, 'expire', 1000)),
  write('pexpire', -3, [1, 1, 1], ['fast'], (args) => parseExpire(args, 'pexpire', 1)),
  write('persist', 2, [1, 1, 1], ['fast'], (args) => ({ type: 'persist', key: keyAt(args, 1) })),
  write('flushdb', -1, [0, 0, 0], [], parseFlush),
  write('flushall', -1, [0, 0, 0], [], parseFlush),
]

type Query = (state: KvState, now: number) => ReadValue
type Keys = readonly [first: number, last: number, step: number]

function read(
  name: string,
  arity: number,
  keys: Keys,
  flags: readonly string[],
  parse: (args: Arguments) => Query,
): CommandSpec {
  const step = (args: Arguments): ReadStep => ({ kind: 'read', query: parse(args), reply: writeValue })
  return { name, arity, keys, flags: ['readonly', ...flags], step }
}

function write(
  name: string,
  arity: number,
  keys: Keys,
  flags: readonly string[],
  parse: (args: Arguments) => KvCommand,
): CommandSpec {
  const reply: WriteStep['reply'] = (writer, result) => writeResult(writer, result, name)
  const step = (args: Arguments): WriteStep => ({ kind: 'write', command: parse(args), reply })
  return { name, arity, keys, flags: ['write', ...flags], step }
}

function increment(args: Arguments, by: bigint): KvCommand {
  return { type: 'increment', key: keyAt(args, 1), by }
}

function remaining(args: Arguments, unitMs: 1 | 1000): Query {
  const key = keyAt(args, 1)
  return (state, now) => {
    const entry: KvEntry | null = state.get(key)
    if (entry === null) return -2
    if (entry.expireAt === NEVER) return -1
    const ms = Math.max(0, entry.expireAt - now)
    return unitMs === 1 ? ms : Math.floor((ms + 500) / 1000)
  }
}

/** Words may repeat and the last one counts, different ones of a kind exclude each other, as in Redis. */
function parseSet(args: Arguments): SetCommand {
  let condition: SetCondition = 'always'
  let returnPrevious = false
  let expiryWord = ''
  // Position of the amount of time. It is looked at after all words: a wrong word wins over a wrong amount.
  let timeAt = 0
  for (let at = 3; at < args.length; at++) {
    const word = wordAt(args, at)
    const wanted = word === 'NX' ? 'absent' : word === 'XX' ? 'present' : null
    const isExpiry = word === 'KEEPTTL' || (EXPIRY_WORDS.has(word) && at + 1 < args.length)
    if (wanted !== null && (condition === 'always' || condition === wanted)) {
      condition = wanted
    } else if (word === 'GET') {
      returnPrevious = true
    } else if (isExpiry && (expiryWord === '' || expiryWord === word)) {
      expiryWord = word
      if (word !== 'KEEPTTL') timeAt = ++at
    } else {
      throw new CommandError(SYNTAX_ERROR)
    }
  }
  const expiry = expiryWord === 'KEEPTTL' ? 'keep' : expiryWord === '' ? null : setExpiry(args, timeAt)
  return { type: 'set', key: keyAt(args, 1), value: valueAt(args, 2), condition, expiry, returnPrevious }
}

const EXPIRY_WORDS = new Set(['EX', 'PX', 'EXAT', 'PXAT'])

/** @param at - position of the amount; its unit stands before it */
function setExpiry(args: Arguments, at: number): SetExpiry {
  const word = wordAt(args, at - 1)
  const amount = integerAt(args, at)
  if (amount <= 0n) throw invalidExpiry('set')
  return expiryTime(amount, word.startsWith('P') ? 1 : 1000, word.endsWith('AT'), 'set')
}

function parseMset(args: Arguments): KvCommand {
  if (args.length % 2 === 0) throw wrongArity('mset')
  const pairs: [string, Uint8Array][] = []
  for (let at = 1; at < args.length; at += 2) pairs.push([keyAt(args, at), valueAt(args, at + 1)])
  return { type: 'setMany', pairs }
}

function parseExpire(args: Arguments, name: string, unitMs: 1 | 1000): KvCommand {
  const words = new Set<string>()
  for (let at = 3; at < args.length; at++) {
    const word = wordAt(args, at)
    if (!['NX', 'XX', 'GT', 'LT'].includes(word)) {
      throw new CommandError(`ERR Unsupported option ${argument(args, at).toString('latin1')}`)
    }
    words.add(word)
  }
  if (words.has('NX') && words.size > 1) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible')
  }
  if (words.has('GT') && words.has('LT')) {
    throw new CommandError('ERR GT and LT options at the same time are not compatible')
  }
  const time = expiryTime(integerAt(args, 2), unitMs, false, name)
  return { type: 'expire', key: keyAt(args, 1), time, condition: expireCondition(words) }
}

function expireCondition(words: ReadonlySet<string>): ExpireCondition {
  const present = words.has('XX')
  if (words.has('NX')) return 'absent'
  if (words.has('GT')) return present ? 'presentGreater' : 'greater'
  if (words.has('LT')) return present ? 'presentLess' : 'less'
  return present ? 'present' : 'always'
}

function parseFlush(args: Arguments): KvCommand {
  const word = wordAt(args, 1)
  if (args.length > 2 || (args.length === 2 && word !== 'ASYNC' && word !== 'SYNC'))
    throw new CommandError(SYNTAX_ERROR)
  return { type: 'flush' }
}
