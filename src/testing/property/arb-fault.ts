// A single fault, and the one that ends it. Shrinks towards the first node, whole groups, both ways before one way, and
// small numbers.
import type { Arbitrary } from 'fast-check'
import type { NodeId } from '../../core/types.js'
import type { FaultKind } from '../fault-plan.js'
import { CALM_DISK } from '../virtual-disk.js'
import { CALM_LINKS } from '../virtual-network.js'
import type { FastCheck } from './fast-check.js'

type FaultType = FaultKind['type']

/** Longest that a process is paused, a message under way or a write on its way to the disk, ms. */
const LONGEST_MS = { pause: 3_000, latency: 300, write: 500 } as const

export interface FaultConstraints {
  readonly nodes: readonly NodeId[]
  readonly types: readonly FaultType[]
}

/** One of the types; null where none of them is possible among so few nodes. */
export function arbFaultKind(fc: FastCheck, { nodes, types }: FaultConstraints): Arbitrary<FaultKind> | null {
  const arbitraries = [...new Set(types)].flatMap((type): Arbitrary<FaultKind>[] => {
    const isBetween = type === 'partition' || type === 'cut' || type === 'clog' || type === 'reset'
    if (isBetween && nodes.length < 2) return []
    return [MAKERS[type](fc, { nodes, types })]
  })
  return arbitraries.length === 0 ? null : fc.oneof(...arbitraries)
}

/** What ends a fault, one after the other; nothing where it ends by itself. */
export function endOf(fault: FaultKind, otherNode: NodeId): readonly FaultKind[] {
  switch (fault.type) {
    case 'crash':
    case 'stop':
    case 'failWrite':
    case 'wipeDisk':
      // Who led before is not known by then, so some node is started: it does nothing to one that runs.
      return [{ type: 'restart', node: fault.node === 'leader' ? otherNode : fault.node }]
    case 'hangDisk':
    case 'fullDisk': {
      const node = fault.node === 'leader' ? otherNode : fault.node
      return [
        { type: 'crash', node },
        { type: 'restart', node },
      ]
    }
    case 'partition':
    case 'cut':
      return [{ type: 'heal' }]
    case 'slowDisk':
      return [{ ...fault, writeMs: CALM_DISK.writeMs }]
    case 'link':
      return [{ type: 'link', lossRatio: 0, duplicateRatio: 0, latencyMs: CALM_LINKS.latencyMs }]
    case 'clockRate':
      return [{ ...fault, ratio: 1 }]
    case 'clog':
    case 'heal':
    case 'pause':
    case 'suspend':
    case 'reset':
    case 'restart':
    case 'resume':
    case 'rotDisk':
    case 'stranger':
    case 'transfer':
    case 'snapshot':
    case 'add':
    case 'promote':
    case 'demote':
    case 'remove':
    case 'members':
      return []
  }
}

type Maker = (fc: FastCheck, constraints: FaultConstraints) => Arbitrary<FaultKind>

function atNode(
  type:
    | 'crash'
    | 'stop'
    | 'hangDisk'
    | 'failWrite'
    | 'fullDisk'
    | 'rotDisk'
    | 'wipeDisk'
    | 'stranger'
    | 'transfer'
    | 'snapshot'
    | 'promote'
    | 'demote'
    | 'remove',
): Maker {
  return (fc, { nodes }) => arbNode(fc, nodes).map((node) => ({ type, node }))
}

const MAKERS: Readonly<Record<FaultType, Maker>> = {
  heal: (fc) => fc.constant({ type: 'heal' }),
  crash: atNode('crash'),
  stop: atNode('stop'),
  restart: (fc, { nodes }) => fc.constantFrom(...nodes).map((node) => ({ type: 'restart', node })),
  failWrite: atNode('failWrite'),
  hangDisk: atNode('hangDisk'),
  fullDisk: atNode('fullDisk'),
  rotDisk: atNode('rotDisk'),
  wipeDisk: atNode('wipeDisk'),
  stranger: atNode('stranger'),
  transfer: atNode('transfer'),
  snapshot: atNode('snapshot'),
  add: (fc, { nodes }) => {
    const suffrage = fc.constantFrom('voter', 'learner')
    return fc.tuple(fc.constantFrom(...nodes), suffrage).map(([node, as]) => ({ type: 'add', node, suffrage: as }))
  },
  promote: atNode('promote'),
  demote: atNode('demote'),
  remove: atNode('remove'),
  members: (fc, { nodes }) => {
    return fc.subarray([...nodes], { minLength: 1 }).map((voters) => ({ type: 'members', voters }))
  },
  resume: (fc, { nodes }) => fc.constantFrom(...nodes).map((node) => ({ type: 'resume', node })),
  clockRate: (fc, { nodes }) => {
    // In steps of a thousandth away from 1, where it shrinks to.
    const rate = fc.integer({ min: -50, max: 50 }).map((steps) => (1_000 + steps) / 1_000)
    return fc.tuple(fc.constantFrom(...nodes), rate).map(([node, ratio]) => ({ type: 'clockRate', node, ratio }))
  },
  clog: (fc, { nodes }) => {
    const forMs = fc.integer({ min: 1, max: LONGEST_MS.pause })
    return fc.tuple(arbPair(fc, nodes), forMs).map(([[from, to], duration]) => {
      return { type: 'clog', from, to, forMs: duration }
    })
  },
  partition: (fc, { nodes }) => arbPartition(fc, nodes),
  cut: arbCut,
  pause: (fc, { nodes }) => {
    const forMs = fc.integer({ min: 1, max: LONGEST_MS.pause })
    return fc.tuple(arbNode(fc, nodes), forMs).map(([node, duration]) => ({ type: 'pause', node, forMs: duration }))
  },
  suspend: (fc, { nodes }) => {
    const forMs = fc.integer({ min: 1, max: LONGEST_MS.pause })
    return fc.tuple(arbNode(fc, nodes), forMs).map(([node, duration]) => ({ type: 'suspend', node, forMs: duration }))
  },
  reset: (fc, { nodes }) => arbPair(fc, nodes).map((pair) => ({ type: 'reset', nodes: pair })),
  slowDisk: (fc, { nodes }) => {
    return fc
      .tuple(arbNode(fc, nodes), arbSpan(fc, LONGEST_MS.write))
      .map(([node, writeMs]) => ({ type: 'slowDisk', node, writeMs }))
  },
  link: (fc) => {
    const percent = (max: number): Arbitrary<number> => fc.integer({ min: 0, max }).map((value) => value / 100)
    return fc
      .tuple(percent(50), percent(50), arbSpan(fc, LONGEST_MS.latency))
      .map(([lossRatio, duplicateRatio, latencyMs]) => ({ type: 'link', lossRatio, duplicateRatio, latencyMs }))
  },
}

function arbNode(fc: FastCheck, nodes: readonly NodeId[]): Arbitrary<NodeId | 'leader'> {
  return fc.constantFrom(...nodes, 'leader', 'leader')
}

function arbPair(fc: FastCheck, nodes: readonly NodeId[]): Arbitrary<readonly [NodeId, NodeId]> {
  const { length } = nodes
  return fc
    .tuple(fc.nat(length - 1), fc.integer({ min: 1, max: length - 1 }))
    .map(([at, by]) => [nodes[at] as NodeId, nodes[(at + by) % length] as NodeId] as const)
}

function arbSpan(fc: FastCheck, longestMs: number): Arbitrary<readonly [number, number]> {
  return fc
    .tuple(fc.integer({ min: 1, max: longestMs }), fc.nat(longestMs))
    .map(([min, more]) => [min, min + more] as const)
}

/** Each node lies in one of up to three groups; it shrinks towards all of them in the first. */
function arbPartition(fc: FastCheck, nodes: readonly NodeId[]): Arbitrary<FaultKind> {
  return fc.tuple(...nodes.map(() => fc.nat(2))).map((places) => {
    const groups = [0, 1, 2].map((group) => nodes.filter((_, at) => places[at] === group))
    return { type: 'partition', groups: groups.filter((group) => group.length > 0) }
  })
}

/** Where partitions are allowed too, a cut shrinks to the one that is the same both ways. */
function arbCut(fc: FastCheck, { nodes, types }: FaultConstraints): Arbitrary<FaultKind> {
  const isOneWay = types.includes('partition') ? fc.boolean() : fc.constant(true)
  return fc.tuple(arbPair(fc, nodes), isOneWay).map(([[from, to], oneWay]): FaultKind => {
    if (oneWay) return { type: 'cut', from, to }
    return { type: 'partition', groups: [[from], nodes.filter((node) => node !== from)] }
  })
}
