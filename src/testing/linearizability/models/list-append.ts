// Lists that only grow: `append` and `read` of the whole list, each on one key, the keys independent. Empty at first. It
// finds more than a register with the same number of operations, because a read shows the order of all appends before it.
import type { LinearizabilityModel } from '../model.js'
import { mix32, structuralHash } from '../structural.js'

export interface ListAppendInput {
  readonly op: 'append' | 'read'
  readonly key: string
  /** Of an append. @defaultValue the empty string */
  readonly value?: string
}

/** A list as its last item and what stands before it, so that all states of a search share their beginnings. */
interface Items {
  readonly before: Items | null
  readonly value: string
  readonly length: number
  readonly hash: number
}

const EMPTY: Items = { before: null, value: '', length: 0, hash: 0 }

/**
 * A read's output is the list, the oldest item first. An append's output is the list with its item, or an empty list if
 * it doesn't say. An append of unknown outcome may have happened at any time after its invocation, or not at all.
 */
export function listAppend(): LinearizabilityModel<unknown, ListAppendInput, readonly string[]> {
  const model: LinearizabilityModel<Items, ListAppendInput, readonly string[]> = {
    init: () => EMPTY,
    key: ({ key }) => key,
    step(items, { op, value = '' }, output) {
      if (op === 'read') return output === undefined || isList(items, output) ? items : null
      const longer = {
        before: items,
        value,
        length: items.length + 1,
        hash: mix32(items.hash ^ structuralHash(value) ^ items.length),
      }
      return output === undefined || output.length === 0 || isList(longer, output) ? longer : null
    },
    equal: areEqual,
    hash: ({ hash }) => hash,
    effect: ({ op }) => (op === 'read' ? 'none' : 'depends'),
    describe({ op, key, value = '' }, output) {
      return `${op} ${key}${op === 'append' ? ` ${JSON.stringify(value)}` : ''} -> ${JSON.stringify(output)}`
    },
  }
  return model as LinearizabilityModel<unknown, ListAppendInput, readonly string[]>
}

function isList(items: Items, list: readonly string[]): boolean {
  if (items.length !== list.length) return false
  let rest: Items | null = items
  for (let at = list.length - 1; at >= 0 && rest !== null; at--, rest = rest.before) {
    if (rest.value !== list[at]) return false
  }
  return true
}

function areEqual(a: Items, b: Items): boolean {
  if (a.length !== b.length || a.hash !== b.hash) return false
  let left: Items | null = a
  let right: Items | null = b
  while (left !== null && right !== null && left !== right) {
    if (left.value !== right.value) return false
    left = left.before
    right = right.before
  }
  return true
}
