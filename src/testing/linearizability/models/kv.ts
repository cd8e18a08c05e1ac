// A map of strings: `get`, `set`, `del`, `cas` and `add`, each on one key, the keys independent. Empty at first.
import type { LinearizabilityModel } from '../model.js'

export type KvInput =
  | { readonly op: 'get' | 'del'; readonly key: string }
  | { readonly op: 'set'; readonly key: string; readonly value: string }
  | { readonly op: 'cas'; readonly key: string; readonly from: string | null; readonly to: string }
  | { readonly op: 'add'; readonly key: string; readonly by: number }

export type KvOutput = string | number | boolean | null

/** The value of one key; undefined when there is none. */
type Value = string | undefined

/**
 * | operation | outputs that are judged | others |
 * |---|---|---|
 * | `get` | the value as a string or, if it is a whole number, as a number; null: no such key | impossible |
 * | `set` | none | say nothing |
 * | `del` | true or a number above 0: it was there; false or 0: it wasn't | say nothing |
 * | `cas` | true or 1: the value was `from` (null: no such key) and is `to` now; false or 0: it was another one | say nothing |
 * | `add` | the sum, as a number or a string; a missing key counts as 0. null or false: the value is no whole number, nothing changed | impossible |
 *
 * What is of unknown outcome, or says nothing, did to the value that it met what it does to any: `cas` may have found
 * another value, and `add` something that is no number; then they changed nothing.
 */
export function kv(): LinearizabilityModel<unknown, KvInput, KvOutput> {
  const model: LinearizabilityModel<Value, KvInput, KvOutput> = {
    init: () => undefined,
    key: ({ key }) => key,
    step(value, input, output) {
      switch (input.op) {
        case 'get':
          return output === undefined || isValue(value, output) ? value : null
        case 'set':
          return input.value
        case 'del': {
          const existed = asBoolean(output)
          return existed === undefined || existed === (value !== undefined) ? undefined : null
        }
        case 'cas': {
          const isEqual = input.from === null ? value === undefined : value === input.from
          const swapped = asBoolean(output)
          if (swapped !== undefined && swapped !== isEqual) return null
          return isEqual ? input.to : value
        }
        case 'add':
          return stepAdd(value, input.by, output)
      }
    },
    effect(input, output) {
      switch (input.op) {
        case 'get':
          return 'none'
        case 'set':
          return 'overwrites'
        case 'del': {
          const existed = asBoolean(output)
          return existed === undefined ? 'overwrites' : existed ? 'depends' : 'none'
        }
        case 'cas':
          return asBoolean(output) === false ? 'none' : 'depends'
        case 'add':
          return output === null || output === false ? 'none' : 'depends'
      }
    },
    describe: (input, output) => `${describeInput(input)} -> ${JSON.stringify(output)}`,
  }
  return model
}

function isValue(value: Value, output: KvOutput): boolean {
  if (typeof output === 'number') return value !== undefined && numberIn(value) === output
  return output === null ? value === undefined : output === value
}

function stepAdd(value: Value, by: number, output: KvOutput | undefined): Value | null {
  const before = value === undefined ? 0 : numberIn(value)
  if (before === undefined) return output === undefined || output === null || output === false ? value : null
  const sum = String(before + by)
  return output === undefined || (output !== null && String(output) === sum) ? sum : null
}

/** The whole number that a value is, as `add` sees it. */
function numberIn(value: string): number | undefined {
  const number = Number(value)
  return Number.isSafeInteger(number) && String(number) === value ? number : undefined
}

function asBoolean(output: KvOutput | undefined): boolean | undefined {
  if (typeof output === 'number') return output > 0
  return typeof output === 'boolean' ? output : undefined
}

function describeInput(input: KvInput): string {
  switch (input.op) {
    case 'get':
    case 'del':
      return `${input.op} ${input.key}`
    case 'set':
      return `set ${input.key} ${JSON.stringify(input.value)}`
    case 'cas':
      return `cas ${input.key} ${JSON.stringify(input.from)} to ${JSON.stringify(input.to)}`
    case 'add':
      return `add ${input.key} ${input.by}`
  }
}
