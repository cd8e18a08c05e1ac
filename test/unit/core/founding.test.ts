// F25: one member founds the cluster, everybody else only ever joins; the stores of the members are in the configuration.
import type { Member } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster, ofType } from '../../support/core-cluster.js'
import { EMPTY_DISK, type SimulatedNode } from '../../support/core-node.js'

const member = (name: string): Member => {
  const id = name.replace('?', '')
  return { id, address: id, suffrage: name.endsWith('?') ? 'learner' : 'voter', storeId: `store-${id}` }
}
const listed = (...names: string[]): readonly Member[] => names.map(member)
const ALL = listed('a', 'b', 'c')

/** Nodes with empty stores, and nobody else. */
const empty = (...ids: string[]) => new CoreCluster({ voters: [], joiners: ids.length > 0 ? ids : ['a', 'b', 'c'] })
/** What each configuration of a log says, `index voters+learners/outgoing`. */
const history = (node: SimulatedNode) =>
  node.state.log.configurations.map(({ index, configuration: { members, votersOutgoing } }) => {
    const of = (suffrage: string) =>
      members
        .filter((each) => each.suffrage === suffrage)
        .map(({ id }) => id)
        .join('')
    return `${index} ${of('voter')}+${of('learner')}/${votersOutgoing.map(({ id }) => id).join('')}`
  })
const storesOf = (node: SimulatedNode) =>
  node.state.log.configurations
    .at(-1)
    ?.configuration.members.map(({ id, storeId }) => `${id}:${storeId ?? ''}`)
    .join(' ')

describe('a cluster without a configuration', () => {
  it('never elects anybody, however long it waits', () => {
    const cluster = empty()
    cluster.run(10_000)
    for (const node of cluster.up)
      expect(node.state).toMatchObject({ role: 'follower', currentTerm: 0, votedFor: null })
    const vote = { type: 'requestVote', term: 1, lastLogIndex: 9, lastLogTerm: 1, leadershipTransfer: false } as const
    cluster.node('b').receive('a', vote)
    cluster.node('b').receive('a', { ...vote, type: 'preVote', term: 2, round: 1 })
    expect(cluster.network.map(({ message }) => 'voteGranted' in message && message.voteGranted)).toEqual([
      false,
      false,
    ])
    expect(cluster.node('b').state.votedFor).toBeNull()
  })
})

describe('the founder', () => {
  it('begins with a log in which it votes alone, and leads by it at once', () => {
    const cluster = empty()
    const founder = cluster.node('a')
    const output = founder.found(ALL)
    expect(output.isFounded).toBe(false)
    expect(founder.state.currentTerm).toBe(1)
    expect(history(founder)).toEqual(['1 a+bc/'])
    cluster.advance(0)
    expect(founder.state.role).toBe('leader')
    expect(founder.committed).toBeGreaterThanOrEqual(2)
    expect(storesOf(founder)).toBe('a:store-a b:store-b c:store-c')
  })

  it('brings all others in by one change, and has founded when that is in force', () => {
    const cluster = empty()
    let foundedBy = ''
    cluster.onOutput = (node, output) => {
      if (output.isFounded) foundedBy += `${node.id}${output.append?.entries.at(-1)?.index ?? ''} `
    }
    cluster.node('a').found(ALL)
    cluster.run(500)
    expect(history(cluster.node('a'))).toEqual(['1 a+bc/', '3 abc+/a', '4 abc+/'])
    expect(foundedBy).toBe('a3 ')
    for (const node of cluster.up) {
      expect(history(node)).toEqual(history(cluster.node('a')))
      expect(storesOf(node)).toBe('a:store-a b:store-b c:store-c')
    }
    cluster.crash('a')
    cluster.run(1_000)
    expect(cluster.leader).not.toBeNull()
  })

  it('of a list that names nobody else to vote is ready with its first entry', () => {
    for (const [list, expected] of [
      [listed('a'), '1 a+/'],
      [listed('a', 'b?'), '1 a+b/'],
    ] as const) {
      const cluster = empty('a', 'b')
      cluster.node('a').found(list)
      cluster.run(500)
      expect(cluster.node('a').state.founding).toBeNull()
      expect(history(cluster.node('a'))).toEqual([expected])
      cluster.node('a').propose('x')
      expect(cluster.node('a').results.at(-1)?.type).toBe('appended')
    }
  })

  it('brings in learners of the list as such, and changes one voter in one step', () => {
    const cluster = empty()
    cluster.node('a').found(listed('a', 'b', 'c?'))
    cluster.run(500)
    expect(history(cluster.node('c'))).toEqual(['1 a+bc/', '3 ab+c/'])
  })

  it('stops where its store is not empty, or where it would not vote', () => {
    expect(() => empty().node('b').found(listed('a', 'b?'))).toThrow(/who founds a cluster votes in it/)
    const used = empty()
    used.node('a').found(ALL)
    expect(() => used.node('a').found(ALL)).toThrow(/only an empty store founds a cluster/)
    const entry = { index: 1, term: 1, type: 'command', timestamp: 0, data: new Uint8Array(1) } as const
    const disk = { ...EMPTY_DISK, hardState: { currentTerm: 1, votedFor: null }, log: [entry] }
    const other = new CoreCluster({ voters: [], joiners: ['a'], disks: { a: disk } })
    expect(() => other.node('a').found(ALL)).toThrow(/only an empty store founds a cluster/)
  })
})

describe('before the cluster is founded', () => {
  const begun = () => {
    const cluster = empty()
    cluster.node('a').found(ALL)
    cluster.advance(0)
    // Everybody follows it, and nobody has caught up.
    cluster.deliver(ofType('heartbeat'))
    expect(cluster.node('b').state.leaderId).toBe('a')
    return cluster
  }

  it('the founder takes no proposal, its own or passed on', () => {
    const cluster = begun()
    cluster.drop()
    const [founder, other] = [cluster.node('a'), cluster.node('b')]
    const { lastIndex } = founder.state.log
    const own = founder.propose('x')
    expect(founder.results.at(-1)).toEqual({ type: 'transferring', id: own })
    other.propose('y')
    cluster.settle(ofType('proposeRequest', 'proposeResponse'))
    expect(other.results.at(-1)).toMatchObject({ type: 'refused', refusal: 'transferring' })
    expect(founder.state.log.lastIndex).toBe(lastIndex)
    cluster.run(500)
    founder.propose('x')
    expect(founder.results.at(-1)?.type).toBe('appended')
  })

  it('a change that somebody asks for is to be asked for again, and then it is made', () => {
    const cluster = begun()
    const founder = cluster.node('a')
    const first = founder.change('remove', ['c'])
    expect(founder.changes).toEqual([{ type: 'retry', id: first }])
    const other = cluster.node('b')
    const passedOn = other.change('demote', ['c'])
    cluster.run(1_000)
    expect(other.changes).toEqual([{ type: 'retry', id: passedOn }])
    expect(founder.voters).toBe('abc/')
    const again = other.change('demote', ['c'])
    cluster.run(300)
    expect(other.changes.at(-1)).toMatchObject({ type: 'done', id: again })
    expect(founder.voters).toBe('ab/')
    expect(history(founder).slice(0, 3)).toEqual(['1 a+bc/', '3 abc+/a', '4 abc+/'])
  })

  it('a restart of the founder goes on, whatever it had done', () => {
    for (let delivered = 0; delivered < 40; delivered++) {
      const cluster = empty()
      cluster.node('a').persistence = 'later'
      cluster.node('a').found(ALL)
      let isFounded = false
      cluster.onOutput = (node, output) => void (isFounded ||= node.id === 'a' && output.isFounded)
      // One thing after the other: a write, or a message.
      for (let step = 0; step < delivered; step++) {
        if (cluster.node('a').persist(1) === 0 && cluster.network[0] !== undefined)
          cluster.deliverPacket(cluster.network[0])
        if (step % 7 === 6) cluster.advance(30)
      }
      cluster.crash('a')
      cluster.run(300)
      const { log } = cluster.node('a').durable
      const held = log.filter(({ type }) => type === 'configuration').length
      cluster.node('a').persistence = 'now'
      // A driver tells by the log whether the list is in force.
      cluster.node('a').start(0, held === 1 ? ALL : undefined)
      // Nothing was durable: all are empty still, and the driver founds anew.
      if (held === 0) cluster.node('a').found(ALL)
      cluster.run(1_500)
      expect(history(cluster.node('b')).at(-1), `after ${delivered} steps`).toMatch(/ abc\+\/$/)
      cluster.leader?.propose('x')
      expect(cluster.leader?.results.at(-1)?.type).toBe('appended')
      if (held === 1) expect(isFounded).toBe(true)
    }
  })
})

describe('the store of a member', () => {
  const grown = () => {
    const cluster = empty('a', 'd')
    cluster.node('a').found(listed('a'))
    cluster.run(100)
    return cluster
  }

  it('is in the configuration as soon as the leader has heard it', () => {
    const cluster = grown()
    const leader = cluster.node('a')
    leader.change('add', ['d'])
    leader.peerStatus('d', 'up', 'store-d')
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:store-d')
    expect(leader.voters).toBe('ad/')
    const { lastIndex } = leader.state.log
    leader.peerStatus('d', 'up', 'another')
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:store-d')
    expect(leader.state.log.lastIndex).toBe(lastIndex)
  })

  it('is bound later where the member votes before it was heard', () => {
    const cluster = grown()
    const leader = cluster.node('a')
    leader.change('add', ['d'])
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:')
    leader.peerStatus('d', 'up', 'store-d')
    leader.propose('what it then acknowledges')
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:store-d')
    expect(storesOf(cluster.node('d'))).toBe('a:store-a d:store-d')
  })

  it('is bound by a later leader that heard it as a follower', () => {
    const cluster = empty('a', 'b', 'd')
    cluster.node('a').found(listed('a', 'b'))
    cluster.run(300)
    cluster.node('a').change('add', ['d'])
    cluster.node('b').peerStatus('d', 'up', 'store-d')
    cluster.run(300)
    expect(storesOf(cluster.node('b'))).toBe('a:store-a b:store-b d:')
    cluster.crash('a')
    cluster.run(1_000)
    while (cluster.leader?.id !== 'b') {
      cluster.leader?.transfer('b')
      cluster.run(300)
    }
    expect(storesOf(cluster.node('b'))).toBe('a:store-a b:store-b d:store-d')
  })

  it('that was heard before the member was added is bound by the change (H19)', () => {
    const cluster = grown()
    const leader = cluster.node('a')
    leader.peerStatus('d', 'up', 'store-d')
    leader.change('add', ['d'])
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:store-d')
  })

  it('that went away before is not: who comes back may come with another', () => {
    for (const status of ['closed', 'reset'] as const) {
      const cluster = grown()
      const leader = cluster.node('a')
      leader.peerStatus('d', 'up', 'store-d')
      leader.change('add', ['d'])
      cluster.run(300)
      leader.change('remove', ['d'])
      cluster.run(300)
      leader.peerStatus('d', status)
      leader.change('add', ['d'])
      expect(storesOf(leader), status).toBe('a:store-a d:')
      leader.peerStatus('d', 'up', 'new')
      cluster.run(300)
      expect(storesOf(leader), status).toBe('a:store-a d:new')
    }
  })

  it('is remembered of 1024 connected peers, and beyond them of members only', () => {
    const cluster = grown()
    const leader = cluster.node('a')
    leader.change('add', ['d'])
    cluster.run(300)
    for (let peer = 1; peer <= 1_023; peer++) leader.peerStatus(`p${peer}`, 'up', `s${peer}`)
    expect(leader.state.stores.has('p1023')).toBe(true)
    leader.peerStatus('p1024', 'up', 's1024')
    leader.peerStatus('p1025', 'up', 's1025')
    expect([leader.state.stores.size, leader.state.stores.has('p1025')]).toEqual([1_024, false])
    leader.peerStatus('d', 'up', 'store-d')
    leader.propose('what it then acknowledges')
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:store-d')
  })

  it('is that of the newest connection', () => {
    const cluster = grown()
    const leader = cluster.node('a')
    leader.peerStatus('d', 'up', 'old')
    leader.peerStatus('d', 'reset')
    leader.peerStatus('d', 'up', 'new')
    leader.change('add', ['d'])
    cluster.run(300)
    expect(storesOf(leader)).toBe('a:store-a d:new')
  })
})
