// When two clusters are the same: renamed nodes, other times, copies of a state.
import { describe, expect, it } from 'vitest'
import { forgetTime } from '../../../../src/testing/model-checker/abstract-time.js'
import { symmetriesOf } from '../../../../src/testing/model-checker/configurations.js'
import type { Model } from '../../../../src/testing/model-checker/model.js'
import { Search } from '../../../../src/testing/model-checker/search.js'
import { Canonical } from '../../../../src/testing/model-checker/canonical.js'
import { Environment } from '../../../../src/testing/model-checker/environment.js'
import { PairMap, VisitedSet } from '../../../../src/testing/model-checker/hash-tables.js'
import { NO_HISTORY } from '../../../../src/testing/model-checker/history.js'
import { cloneCore, type NodeState, nodeText } from '../../../../src/testing/model-checker/node-state.js'
import { permutationsOf } from '../../../../src/testing/model-checker/symmetry.js'
import { Tables } from '../../../../src/testing/model-checker/tables.js'
import { SMALL } from './support.js'

const environment = new Environment({ ...SMALL, disks: 'slow', heartbeats: 'any', reads: 1 })

/** Node `leader` was elected by `voter`, and has its write under way. */
function elected(leader: number, voter: number): readonly [NodeState, ReturnType<Environment['step']>['sent']] {
  const local = { type: 'local', parameter: 0 } as const
  const campaign = environment.step(environment.initial(leader), { ...local, action: 'electionTimeout' })
  const asks = environment.step(campaign.state, { ...local, action: 'persist' })
  const message = { type: 'requestVoteResponse', term: 1, voteGranted: true } as const
  const won = environment.step(asks.state, {
    type: 'deliver',
    packet: { from: voter, to: leader, message },
    isLate: false,
  })
  return [won.state, won.sent]
}

function hashOf(leader: number, voter: number): number[] {
  const tables = new Tables(environment)
  const [state, sent] = elected(leader, voter)
  const nodes = [0, 1, 2].map((node) => tables.node(node === leader ? state : environment.initial(node)))
  const canonical = new Canonical(tables)
  const packets = sent.map((packet) => tables.packet(packet))
  canonical.hash({ nodes, history: tables.history(NO_HISTORY), packets })
  return [...canonical.words]
}

describe('a clone of a state', () => {
  it('shares nothing that a step changes', () => {
    const [{ core }] = elected(0, 1)
    const before = structuredClone(core)
    const clone = cloneCore(core)
    expect(clone).toEqual(core)
    clone.currentTerm += 1
    clone.log.runs.push({ first: 2, term: 2 })
    clone.log.configurations.pop()
    clone.log.lastIndex += 1
    clone.votes.add('e')
    clone.grants.clear()
    for (const progress of clone.progress.values()) {
      progress.inflight.push(7)
      progress.matchIndex += 1
    }
    clone.reads.push({ id: 1, origin: null, boot: 1, round: null, readIndex: 0 })
    clone.forwardedReads.set(1, 1)
    clone.forwardOrigins.set('b', { boot: 1, highestAccepted: 0, highestSeen: 0, answers: new Map() })
    expect(core).toEqual(before)
  })
})

describe('the hash of a cluster', () => {
  it('is the same whatever the nodes are called', () => {
    const hashes = [hashOf(0, 1), hashOf(0, 2), hashOf(1, 0), hashOf(1, 2), hashOf(2, 0), hashOf(2, 1)]
    for (const hash of hashes) expect(hash).toEqual(hashes[0])
  })

  it('tells clusters apart that differ in one packet or one vote', () => {
    const tables = new Tables(environment)
    const canonical = new Canonical(tables)
    const [state, sent] = elected(0, 1)
    const nodes = [tables.node(state), tables.node(environment.initial(1)), tables.node(environment.initial(2))]
    const packets = sent.map((packet) => tables.packet(packet))
    const history = tables.history(NO_HISTORY)
    const hash = (cluster: { nodes: number[]; packets: number[] }): string => {
      canonical.hash({ ...cluster, history })
      return canonical.words.join()
    }
    const voted = { ...state, core: { ...state.core, votedFor: 'b' } }
    const hashes = [
      hash({ nodes, packets }),
      hash({ nodes, packets: packets.slice(1) }),
      hash({ nodes: [tables.node(voted), ...nodes.slice(1)], packets }),
    ]
    expect(new Set(hashes).size).toBe(3)
    expect(hash({ nodes, packets: packets.toReversed() })).toBe(hashes[0])
  })

  it('is the same when the part that was there before is made once', () => {
    const tables = new Tables(environment)
    const canonical = new Canonical(tables)
    const [state, sent] = elected(0, 1)
    const nodes = [tables.node(state), tables.node(environment.initial(1)), tables.node(environment.initial(2))]
    const packets = sent.map((packet) => tables.packet(packet))
    const cluster = { nodes, history: tables.history(NO_HISTORY), packets }
    canonical.hash(cluster)
    const whole = canonical.words.join()
    canonical.begin(packets.slice(0, 1))
    canonical.hash(cluster, true)
    expect(canonical.words.join()).toBe(whole)
  })
})

describe('the text of a node', () => {
  it('does not depend on times', () => {
    const [state] = elected(0, 1)
    const later = { ...state, core: cloneCore(state.core) }
    later.core.electionDeadline += 17
    later.core.quorumCheckSince -= 3
    later.core.prng = 99
    forgetTime(later.core, { contact: true, leases: false })
    expect(nodeText(later, [0, 1, 2])).toBe(nodeText(state, [0, 1, 2]))
  })

  it('of renamed nodes is that of the node at the other place', () => {
    expect(nodeText(elected(0, 1)[0], [2, 0, 1])).toBe(nodeText(elected(2, 0)[0], [0, 1, 2]))
  })
})

describe('the symmetries of a model', () => {
  const symmetries = (model: Partial<Model>) => symmetriesOf({ ...SMALL, ...model }).map((one) => one.join(''))

  it('are all renamings where nodes differ in nothing', () => {
    expect(symmetries({}).length).toBe(6)
  })

  it('keep voters, learners, what may be asked for and who may campaign', () => {
    expect(symmetries({ voters: 2, learners: 2 })).toEqual(['0123', '0132', '1023', '1032'])
    expect(symmetries({ changes: [[0]] })).toEqual(['012', '021'])
    expect(symmetries({ changes: [[0], [1]] })).toEqual(['012', '102'])
    expect(symmetries({ candidates: [1] })).toEqual(['012', '210'])
  })

  it('tell configurations apart by their members, whatever they are called', () => {
    const model = { ...SMALL, start: { type: 'led' }, changes: [[0], [1]], maxChanges: 1 } as const
    const { states } = new Search(model).run()
    // The first node leads: that it may go or stay is not the same as that of the others one may.
    expect(new Search({ ...model, changes: [[1], [2]] }).run().states).not.toBe(states)
    expect(new Search({ ...model, changes: [[0], [2]] }).run().states).toBe(states)
  })
})

describe('permutations', () => {
  it('are all there are, the identity first', () => {
    expect(permutationsOf(3)[0]).toEqual([0, 1, 2])
    expect(new Set(permutationsOf(4).map((one) => one.join())).size).toBe(24)
  })
})

describe('the tables of numbers', () => {
  it('keep what was added while they grow', () => {
    const visited = new VisitedSet(16)
    const pairs = new PairMap(16)
    for (let number = 0; number < 5_000; number++) {
      expect(visited.add(number % 7, number, 1)).toBe(true)
      pairs.set(number % 100, number, number * 2)
    }
    expect(visited.size).toBe(5_000)
    for (let number = 0; number < 5_000; number++) {
      expect(visited.add(number % 7, number, 1)).toBe(false)
      expect(pairs.get(number % 100, number)).toBe(number * 2)
    }
    expect(pairs.get(1, 0)).toBeUndefined()
  })
})
