import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Fault, FAULT_TYPES, type FaultKind } from '../../../../src/testing/fault-plan.js'
import { PLAN_DEFAULTS, type PlannedCall, type SimulationPlan } from '../../../../src/testing/plan/plan.js'
import { parseScript, printScript, ScriptError } from '../../../../src/testing/plan/script.js'

const node = fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5')
const ms = fc.oneof(
  fc.nat(100_000),
  fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0),
)
const range = fc.tuple(ms, ms)

const nodes = fc.uniqueArray(node, { minLength: 1 })
const asked = { via: fc.option(node, { nil: undefined }), timeoutMs: fc.option(ms, { nil: undefined }) }

/** Fields of each type, drawn. */
const FIELDS: Readonly<Record<FaultKind['type'], object>> = {
  crash: { node, afterEffects: fc.option(fc.nat(9), { nil: undefined }) },
  restart: { node },
  stop: { node },
  transfer: { node, to: fc.option(node, { nil: undefined }) },
  snapshot: { node },
  add: { node, suffrage: fc.constantFrom('voter', 'learner', undefined), ...asked },
  promote: { node, ...asked },
  demote: { node, ...asked },
  remove: { node: fc.constantFrom('n1', 'leader'), ...asked },
  members: { voters: nodes, learners: fc.option(nodes, { nil: undefined }), ...asked },
  pause: { node, forMs: ms },
  suspend: { node, forMs: ms },
  partition: { groups: fc.array(fc.array(node, { minLength: 1 }), { minLength: 2 }) },
  cut: { from: node, to: node },
  clog: { from: node, to: node, forMs: ms },
  heal: {},
  reset: { nodes: fc.tuple(node, node) },
  slowDisk: { node, writeMs: range },
  failWrite: { node: fc.constant('leader') },
  hangDisk: { node },
  fullDisk: { node },
  rotDisk: { node },
  wipeDisk: { node },
  clockRate: { node, ratio: fc.double({ min: 0.95, max: 1.05, noNaN: true }) },
  stranger: { node },
  resume: { node },
  link: { lossRatio: ms, duplicateRatio: ms, latencyMs: range, damageRatio: fc.option(ms, { nil: undefined }) },
}

const arbFault = fc.constantFrom(...FAULT_TYPES).chain((type) => {
  return fc.record({ atMs: ms, type: fc.constant(type), ...FIELDS[type] }) as unknown as fc.Arbitrary<Fault>
})

const arbAction = fc.oneof(
  fc.record({
    type: fc.constant('propose' as const),
    commands: fc.array(fc.record({ number: fc.nat(), sizeBytes: fc.integer({ min: 4, max: 256 }) }), { minLength: 1 }),
  }),
  fc.record({
    type: fc.constant('read' as const),
    consistency: fc.constantFrom('linearizable' as const, 'lease' as const, 'local' as const),
    minIndex: fc.option(fc.nat(), { nil: undefined }),
    maxStalenessMs: fc.option(ms, { nil: undefined }),
    isSlow: fc.boolean(),
  }),
)

const arbCall: fc.Arbitrary<PlannedCall> = fc.record({
  atMs: ms,
  client: fc.nat(9),
  on: node,
  timeoutMs: ms,
  action: arbAction,
})

const byTime = (one: { readonly atMs: number }, other: { readonly atMs: number }): number => one.atMs - other.atMs

const arbPlan: fc.Arbitrary<SimulationPlan> = fc.record({
  seed: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  settings: fc
    .record({
      durationMs: ms,
      voters: fc.integer({ min: 1, max: 7 }),
      lossRatio: ms,
      writeMs: range,
      mixesTimings: fc.boolean(),
    })
    .map((drawn) => ({
      ...PLAN_DEFAULTS,
      durationMs: drawn.durationMs,
      mixesTimings: drawn.mixesTimings,
      shape: { ...PLAN_DEFAULTS.shape, voters: drawn.voters },
      links: { ...PLAN_DEFAULTS.links, lossRatio: drawn.lossRatio },
      disk: { ...PLAN_DEFAULTS.disk, writeMs: drawn.writeMs },
    })),
  faults: fc.array(arbFault).map((faults) => faults.sort(byTime)),
  calls: fc.array(arbCall).map((calls) => calls.sort(byTime)),
  found: fc.option(fc.constant({ check: 'liveness' as const, bug: 'some-bug' as string | null }), { nil: undefined }),
})

describe('simulation scripts', () => {
  it('say the same plan after they were printed and read', () => {
    fc.assert(
      fc.property(arbPlan, (plan) => {
        const text = printScript(plan, ['A title.', '', 'More of it.'])
        expect(parseScript(text)).toEqual(plan)
        expect(printScript(parseScript(text), ['A title.', '', 'More of it.'])).toBe(text)
      }),
    )
  })

  it('say only what differs from the defaults', () => {
    const plan = { seed: 7n, settings: PLAN_DEFAULTS, faults: [], calls: [] }
    expect(printScript(plan)).toBe('seed 7\n')
    expect(parseScript('seed 7')).toEqual({ ...plan, found: undefined })
  })

  it.each([
    ['', /^expected a line with the seed/],
    ['seed x', /^line 1: expected a seed from 0 to 18446744073709551615, not 'x'/],
    ['seed 1\nseat 2', /^line 2: expected seed, found, set, at or a comment behind #, not 'seat'/],
    ['seed 1\nset shape.nodes 3', /^line 2: expected a setting \(shape\.voters, .*, not 'shape\.nodes'/],
    ['seed 1\nset shape.voters three', /^line 2: expected a value for shape\.voters like 3, not 'three'/],
    ['seed 1\nset links.latencyMs 3', /^line 2: expected a value for links\.latencyMs like \[0\.2,2\], not '3'/],
    ['seed 1\nat soon heal', /^line 2: expected a time in ms behind 'at', not 'soon'/],
    ['seed 1\nat -1 heal', /^line 2: expected a time/],
    ['seed 1\n\n# a word\nat 5 explode node=n1', /^line 4: expected call, or a fault \(crash, .*\), not 'explode'/],
    ['seed 1\nat 5 crash', /^line 2: expected node=… with a node, as n1$/],
    ['seed 1\nat 5 crash node=n9', /^line 2: expected node=… with a node, as n1, not 'n9'/],
    ['seed 1\nat 5 crash node=n1 node=n2', /^line 2: expected node=… once/],
    ['seed 1\nat 5 heal node=n1', /^line 2: expected nothing more, not 'node=n1'/],
    ['seed 1\nat 5 slowDisk node=n1 writeMs=5', /^line 2: expected writeMs=… with two numbers, as 1\.\.20, not '5'/],
    ['seed 1\nat 5 partition groups=n1,x|n2', /^line 2: expected groups=… with groups of nodes/],
    ['seed 1\nat 5 reset nodes=n1', /^line 2: expected nodes=… with two nodes/],
    ['seed 1\nat 5 call on=n1 client=1 timeoutMs=9', /^line 2: expected either propose=… or read=…/],
    ['seed 1\nat 5 call on=n1 client=1 timeoutMs=9 propose=1/2', /^line 2: expected propose=… with number\/bytes/],
    [
      'seed 1\nat 5 call on=n1 client=1 timeoutMs=9 read=fast',
      /^line 2: expected read=linearizable, read=lease or read=local, not 'fast'/,
    ],
    ['seed 1\nfound liveness by bug', /^line 2: expected found CHECK, or found CHECK with BUG/],
  ])('refuse %j, naming the line and what is expected', (text, message) => {
    expect(() => parseScript(text)).toThrow(ScriptError)
    expect(() => parseScript(text)).toThrow(message)
  })
})
