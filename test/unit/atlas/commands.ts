// Arbitraries and helpers that the tests of Atlas KV share.
import * as fc from 'fast-check'
import type {
  ExpireCondition,
  ExpiryTime,
  KvCommand,
  SetCommand,
} from '../../../examples/atlas-kv/src/state-machine/command.js'
import { KvStateMachine } from '../../../examples/atlas-kv/src/state-machine/kv-state-machine.js'

export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
export const textOf = (value: Uint8Array | null | undefined): string | null =>
  value === null || value === undefined ? null : Buffer.from(value).toString('latin1')

export function set(key: string, value: string, changes: Partial<SetCommand> = {}): SetCommand {
  return {
    type: 'set',
    key,
    value: bytes(value),
    condition: 'always',
    expiry: null,
    returnPrevious: false,
    ...changes,
  }
}

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '', '__proto__', 'constructor', '\u0000\u00ff'),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
)
const value = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom('0', '10', '-1', '9223372036854775807', 'x').map(bytes),
)
const time: fc.Arbitrary<ExpiryTime> = fc.oneof(
  fc.integer({ min: -5_000, max: 5_000 }).map((inMs) => ({ inMs })),
  fc.integer({ min: 0, max: 20_000 }).map((atMs) => ({ atMs })),
)
const expireCondition = fc.constantFrom<ExpireCondition>(
  'always',
  'absent',
  'present',
  'greater',
  'less',
  'presentGreater',
  'presentLess',
)

const arbSet = fc.record({
  type: fc.constant('set' as const),
  key,
  value,
  condition: fc.oneof(
    fc.constantFrom('always' as const, 'absent' as const, 'present' as const),
    fc.nat(30).map((index) => ({ index })),
  ),
  expiry: fc.oneof(fc.constantFrom(null, 'keep' as const), time),
  returnPrevious: fc.boolean(),
})
const arbDelete = fc.record({ type: fc.constant('delete' as const), keys: fc.array(key, { maxLength: 4 }) })

export const arbCommand: fc.Arbitrary<KvCommand> = fc.oneof(
  arbSet,
  arbDelete,
  fc.record({
    type: fc.constant('once' as const),
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    command: fc.oneof(arbSet, arbDelete),
  }),
  fc.record({ type: fc.constant('increment' as const), key, by: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
  fc.record({ type: fc.constant('expire' as const), key, time, condition: expireCondition }),
  fc.record({ type: fc.constant('persist' as const), key }),
  fc.record({ type: fc.constant('setMany' as const), pairs: fc.array(fc.tuple(key, value), { maxLength: 4 }) }),
  fc.constant({ type: 'flush' as const }),
  fc.constant({ type: 'tick' as const }),
)

/** Commands with rising timestamps, as a log has them. */
export const arbLog: fc.Arbitrary<readonly { readonly command: KvCommand; readonly timestamp: number }[]> = fc
  .array(fc.record({ command: arbCommand, step: fc.nat(1_500) }), { maxLength: 60 })
  .map((items) => {
    let timestamp = 1_000
    return items.map(({ command, step }) => {
      timestamp += step
      return { command, timestamp }
    })
  })

export function applyAll(
  log: readonly { readonly command: KvCommand; readonly timestamp: number }[],
  machine: KvStateMachine = new KvStateMachine(),
  firstIndex = 1,
): KvStateMachine {
  for (const [i, { command, timestamp }] of log.entries()) {
    machine.apply(command, { index: firstIndex + i, term: 1, timestamp })
  }
  return machine
}

export const META = {
  lastIncludedIndex: 1,
  lastIncludedTerm: 1,
  lastIncludedTimestamp: 1,
  configuration: { members: [], votersOutgoing: [] },
  configurationIndex: 0,
}

export async function snapshotBytes(machine: KvStateMachine): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of machine.snapshot({ index: 1, term: 1, signal: new AbortController().signal })) {
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export async function* chunksOf(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}
