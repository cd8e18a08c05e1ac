// Random small histories of a real object: each operation takes effect at a moment between its invocation and its return,
// an unknown one at any later moment or never; some answers are then replaced by lies.
import * as fc from 'fast-check'
import type { Operation } from 'helios-raft/testing'
import type { TestedObject } from './objects.js'

export const MAX_OPERATIONS = 8

export function arbHistory(object: TestedObject): fc.Arbitrary<readonly Operation<any, any>[]> {
  const draft = fc.record({
    client: fc.nat(3),
    input: object.input,
    invokedMs: fc.nat(14),
    lastsMs: fc.nat(6),
    // Where between invocation and return it takes effect; of an unknown one, how much later.
    point: fc.integer({ min: 0, max: 100 }),
    outcome: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'ok', 'unknown', 'unknown', 'rejected'),
    happened: fc.boolean(),
    lie: object.lie,
    lies: fc.constantFrom(false, false, false, true),
  })
  const drafts = fc.array(draft, { minLength: 1, maxLength: MAX_OPERATIONS })
  return drafts.map((list) => {
    const call = object.create()
    const planned = list.map((item) => ({
      ...item,
      input: { ...item.input },
      atMs: item.invokedMs + (item.point / 100) * (item.outcome === 'unknown' ? 20 : item.lastsMs),
    }))
    planned.sort((a, b) => a.atMs - b.atMs)
    return planned.map(({ client, input, invokedMs, lastsMs, outcome, happened, lie, lies }) => {
      const takesEffect = outcome === 'ok' || (outcome === 'unknown' && happened)
      const output = takesEffect ? call(input) : undefined
      if (outcome === 'unknown') return { client, input, invokedMs, returnedMs: Infinity, outcome }
      const returnedMs = invokedMs + lastsMs
      if (outcome === 'rejected') return { client, input, invokedMs, returnedMs, outcome }
      return { client, input, invokedMs, returnedMs, outcome: 'ok', output: lies ? lie : output }
    })
  })
}
