// The rules of StateMachine, one case each, in the words of its contract. Sources: interfaces/state-machine.ts, assurance:
// two instances and one log give the same bytes; snapshots and restores are whole; apply keeps nothing of its input.
import { isDeepStrictEqual } from 'node:util'
import { rule, type StateMachineCase } from './state-machine-rule.js'
import { SNAPSHOT_CASES } from './state-machine-snapshots.js'

const DETERMINISTIC = 'apply is deterministic: no clock but context.timestamp, no randomness, no I/O that may differ'
const KEEPS_NOTHING = 'apply keeps and changes nothing of its input'

const applying: readonly StateMachineCase[] = [
  rule({
    name: 'apply reads no clock and draws no random numbers',
    contract: DETERMINISTIC,
    input: (bench) => bench.log(),
    body: async (bench, log) => {
      const { impurities } = await bench.applied(log)
      if (impurities.size > 0) throw new Error(`apply read ${[...impurities].join(' and ')}`)
    },
  }),
  rule({
    name: 'two instances that apply one log give the same results and hold the same state',
    contract: DETERMINISTIC,
    input: (bench) => bench.log(),
    body: async (bench, log) => {
      const [one, other] = [bench.create(), bench.create()]
      for (const [at, command] of log.entries()) {
        const results = [await other.apply(command), await one.apply(command)] as const
        bench.expectEqual(`the result of command ${at + 1} on a second instance`, ...results)
      }
      await bench.expectSame('a second instance that applied the same log', other, { replica: one })
    },
  }),
  rule({
    name: 'apply changes nothing of its command',
    contract: KEEPS_NOTHING,
    input: (bench) => bench.log(),
    body: async (bench, log) => {
      const replica = bench.create()
      for (const command of log) {
        const [given, pristine] = [replica.decode(command), replica.decode(command)]
        await replica.applyDecoded(given)
        if (isDeepStrictEqual(given, pristine)) continue
        throw new Error(`apply changed its command to ${bench.print(given)}, it was ${bench.print(pristine)}`)
      }
    },
  }),
  rule({
    name: 'apply keeps no bytes of its command',
    contract: `${KEEPS_NOTHING}: the buffer that a command was decoded from may be used again`,
    input: (bench) => bench.fc.record({ log: bench.log(), next: bench.log(4) }),
    body: async (bench, { log, next }) => {
      const [replica, twin] = [bench.create(), await bench.applied(log)]
      for (const command of log) {
        const given = replica.decode(command)
        await replica.applyDecoded(given)
        scribble(given)
      }
      const what = 'after the bytes of each command were overwritten behind its apply'
      await bench.expectSame(what, replica, { replica: twin, next })
    },
  }),
  rule({
    name: 'a result stays as it is when later commands are applied',
    contract: 'the result of apply is handed to the caller of propose: it is a value, not a view of the state',
    input: (bench) => bench.log(),
    body: async (bench, log) => {
      const results: unknown[] = []
      const replica = bench.create()
      const printed: string[] = []
      for (const command of log) {
        const result = await replica.apply(command)
        results.push(result)
        printed.push(bench.fc.stringify(result))
        results.forEach((earlier, at) => {
          const now = bench.fc.stringify(earlier)
          if (now === printed[at]) return
          const change = `the result of command ${at + 1} was ${printed[at]}, it became ${now}`
          throw new Error(`${change} when command ${results.length} was applied`)
        })
      }
    },
  }),
]

/** Every rule. */
export const STATE_MACHINE_CASES: readonly StateMachineCase[] = [...applying, ...SNAPSHOT_CASES]

/** Overwrites all bytes in a value, however deep. */
function scribble(value: unknown, seen: Set<object> = new Set()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  if (value instanceof Uint8Array) {
    for (let at = 0; at < value.length; at++) value[at] = (value[at] ?? 0) ^ 0xff
    return
  }
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value)
  for (const part of parts) scribble(part, seen)
}
