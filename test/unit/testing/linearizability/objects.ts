// Real sequential objects, written without the models: what each operation answers, and inputs and outputs to draw from.
import * as fc from 'fast-check'
import { type LinearizabilityModel, models } from 'helios-raft/testing'

export interface TestedObject {
  readonly model: () => LinearizabilityModel<unknown, any, any>
  readonly input: fc.Arbitrary<any>
  /** What a lying object may answer. */
  readonly lie: fc.Arbitrary<any>
  /** A fresh object; each call is one operation. */
  readonly create: () => (input: any) => unknown
}

const key = fc.constantFrom('x', 'x', 'x', 'y')
const value = fc.constantFrom('a', 'b', 'c')
const by = fc.constantFrom(1, 2)

const kvInput = fc.oneof(
  fc.record({ op: fc.constant('get'), key }),
  fc.record({ op: fc.constant('get'), key }),
  fc.record({ op: fc.constant('del'), key }),
  fc.record({ op: fc.constant('set'), key, value: fc.constantFrom('a', 'b', 'c', '7') }),
  fc.record({ op: fc.constant('cas'), key, from: fc.constantFrom('a', 'b', null), to: value }),
  fc.record({ op: fc.constant('add'), key, by }),
)

function kv(): (input: any) => unknown {
  const map = new Map<string, string>()
  return (input) => {
    const before = map.get(input.key)
    if (input.op === 'get') return before ?? null
    if (input.op === 'del') return map.delete(input.key)
    if (input.op === 'set') return map.set(input.key, input.value) && null
    if (input.op === 'cas') return (before ?? null) === input.from && Boolean(map.set(input.key, input.to))
    if (!/^\d*$/.test(before ?? '')) return null
    map.set(input.key, String(Number(before ?? 0) + input.by))
    return Number(map.get(input.key))
  }
}

function register(): (input: any) => unknown {
  let held: string | null = null
  return ({ op, value: written, from, to }) => {
    if (op === 'read') return held
    if (op === 'cas') return held === from ? ((held = to), true) : false
    held = written
    return null
  }
}

function ttlKv(): (input: any) => unknown {
  const map = new Map<string, { value: string; until: number }>()
  let logTime = 0
  return (input) => {
    // Log time is that of the entry: the inputs carry what the object says here.
    logTime += 2
    if (input.isTimed) input.nowMs = logTime
    const found = map.get(input.key)
    const held = found !== undefined && found.until > logTime ? found.value : null
    if (input.op === 'get') return held
    if (input.op === 'del') return map.delete(input.key) && held !== null
    map.set(input.key, { value: input.value, until: input.ttlMs === null ? Infinity : logTime + input.ttlMs })
    return null
  }
}

function lock(): (input: any) => unknown {
  let holder: string | null = null
  let token = 0
  return ({ op, owner }) => {
    const isHolder = holder === owner
    if (op === 'release') {
      if (isHolder) holder = null
      return { ok: isHolder, token: 0 }
    }
    if (holder === null) token += 1
    holder ??= owner
    return { ok: holder === owner, token: holder === owner ? token : 0 }
  }
}

const registerInput = fc.oneof(fc.record({ op: fc.constant('read') }), fc.record({ op: fc.constant('write'), value }))

export const objects: Readonly<Record<keyof typeof models, TestedObject>> = {
  register: { model: models.register, input: registerInput, lie: fc.option(value), create: register },
  cas: {
    model: models.cas,
    input: fc.oneof(registerInput, fc.record({ op: fc.constant('cas'), from: fc.option(value), to: value })),
    lie: fc.oneof(fc.option(value), fc.boolean()),
    create: register,
  },
  kv: {
    model: models.kv,
    input: kvInput,
    lie: fc.oneof(fc.option(value), fc.boolean(), fc.integer({ min: 0, max: 9 })),
    create: kv,
  },
  ttlKv: {
    model: models.ttlKv,
    // `isTimed` stays in the input: the model doesn't look at it.
    input: fc.oneof(
      fc.record({ op: fc.constantFrom('get', 'get', 'del'), key, isTimed: fc.boolean() }),
      fc.record({ op: fc.constant('set'), key, value, ttlMs: fc.constantFrom(null, 3, 5), isTimed: fc.boolean() }),
    ),
    lie: fc.oneof(fc.option(value), fc.boolean()),
    create: ttlKv,
  },
  counter: {
    model: models.counter,
    input: fc.oneof(fc.record({ op: fc.constant('read') }), fc.record({ op: fc.constant('add'), by })),
    lie: fc.option(fc.integer({ min: 0, max: 6 })),
    create: () => {
      let count = 0
      return (input) => (count += input.op === 'add' ? input.by : 0)
    },
  },
  listAppend: {
    model: models.listAppend,
    input: fc.oneof(fc.record({ op: fc.constant('read'), key }), fc.record({ op: fc.constant('append'), key, value })),
    lie: fc.array(value, { maxLength: 3 }),
    create: () => {
      const lists = new Map<string, string[]>()
      return (input) => {
        const list = [...(lists.get(input.key) ?? []), ...(input.op === 'append' ? [input.value] : [])]
        lists.set(input.key, list)
        return input.op === 'append' && list.length % 2 === 0 ? [] : list
      }
    },
  },
  lock: {
    model: models.lock,
    input: fc.record({ op: fc.constantFrom('acquire', 'acquire', 'release'), owner: fc.constantFrom('p', 'q') }),
    lie: fc.record({ ok: fc.boolean(), token: fc.integer({ min: 0, max: 4 }) }),
    create: lock,
  },
}
