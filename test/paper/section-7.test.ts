// §7, log compaction: a snapshot replaces the prefix of the log; the last included index and term stand for it in every
// comparison of logs, and a restarted server begins from it.
import { describe, expect, it } from 'vitest'
import { between, configurationOf, CoreCluster, ofType, type Packet } from '../support/core-cluster.js'
import { installSnapshot } from '../support/core-node.js'
import { append, entriesOf, heartbeat, SoloCore } from '../support/solo-core.js'

/** A follower of term 3 whose log was 1:1 2:1 3:2 4:2 5:3, with a snapshot of the first three entries. */
function compactedFollower(): SoloCore {
  const node = new SoloCore({ terms: [1, 1, 2, 2, 3], currentTerm: 3 })
  node.receive('b', append({ term: 3, prevLogIndex: 5, prevLogTerm: 3, leaderCommit: 3 }))
  node.takeSnapshot()
  node.sent = []
  return node
}

describe('§7', () => {
  it('a server takes a snapshot of what is committed, and discards the entries that it covers', () => {
    const node = compactedFollower()
    expect(node.state.log).toMatchObject({ baseIndex: 3, baseTerm: 2, lastIndex: 5 })
    expect(node.state.log.runs).toEqual([
      { first: 4, term: 2 },
      { first: 5, term: 3 },
    ])
    expect(node.state.snapshotIndex).toBe(3)
  })

  it('the last included index and term support the consistency check of the first entry behind the snapshot', () => {
    const node = compactedFollower()
    node.receive('b', append({ term: 3, prevLogIndex: 3, prevLogTerm: 2, entries: entriesOf(4, 2, 3) }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 5 })
    node.receive('b', append({ term: 3, prevLogIndex: 4, prevLogTerm: 1 }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'mismatch', hintIndex: 3, hintTerm: 2 })
  })

  it('AppendEntries that begin below the snapshot match: what it covers is committed', () => {
    const node = compactedFollower()
    node.receive('b', append({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf(2, 1, 2, 2, 3, 3) }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 6 })
    expect(node.state.log.lastIndex).toBe(6)
  })

  it('AppendEntries that end below the snapshot are acknowledged as far as they go, and nothing is dropped', () => {
    const node = compactedFollower()
    node.receive(
      'b',
      append({ term: 3, prevLogIndex: 0, prevLogTerm: 0, entries: entriesOf(1, 1, 1), leaderCommit: 5 }),
    )
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 2 })
    expect(node.state.log.lastIndex).toBe(5)
    expect(node.state.commitIndex).toBe(3)
  })

  it('AppendEntries across the snapshot still replace what conflicts behind it', () => {
    const node = compactedFollower()
    node.receive('b', append({ term: 4, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf(3, 2, 4) }))
    expect(node.last('appendEntriesResponse')).toMatchObject({ outcome: 'success', index: 4 })
    expect(node.state.log).toMatchObject({ lastIndex: 4, runs: [{ first: 4, term: 4 }] })
  })

  it('a heartbeat about an entry that the snapshot covers finds it there', () => {
    const node = compactedFollower()
    node.receive('b', heartbeat({ term: 3, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 5 }))
    expect(node.last('heartbeatResponse')).toMatchObject({ index: 2 })
    expect(node.state.commitIndex).toBe(3)
  })

  it('the last included term is that of the log when no entry is left: elections compare it', () => {
    const node = new SoloCore({
      disk: { hardState: { currentTerm: 3, votedFor: null }, baseIndex: 5, baseTerm: 3, log: [] },
    })
    const lastLog = { lastLogIndex: 9, lastLogTerm: 2 }
    node.receive('b', { type: 'requestVote', term: 4, ...lastLog, leadershipTransfer: false })
    expect(node.last('requestVoteResponse')).toMatchObject({ voteGranted: false })
    node.receive('b', { type: 'requestVote', term: 5, lastLogIndex: 4, lastLogTerm: 3, leadershipTransfer: false })
    expect(node.last('requestVoteResponse')).toMatchObject({ voteGranted: false })
    node.receive('b', { type: 'requestVote', term: 6, lastLogIndex: 5, lastLogTerm: 3, leadershipTransfer: false })
    expect(node.last('requestVoteResponse')).toMatchObject({ voteGranted: true })
  })

  it('a server restarts from its snapshot: what it covers is committed and applied, the rest of the log is not yet', () => {
    const node = compactedFollower()
    node.crash()
    node.start()
    expect(node.state).toMatchObject({ commitIndex: 3, lastApplied: 3, snapshotIndex: 3 })
    expect(node.state.log).toMatchObject({ baseIndex: 3, baseTerm: 2, lastIndex: 5 })
  })

  it('the snapshot may reach further than what was discarded', () => {
    const node = new SoloCore({ terms: [1, 1, 2, 2, 3], currentTerm: 3 })
    node.receive('b', append({ term: 3, prevLogIndex: 5, prevLogTerm: 3, leaderCommit: 4 }))
    node.takeSnapshot(3)
    expect(node.state.log.baseIndex).toBe(1)
    node.crash()
    node.start()
    expect(node.state).toMatchObject({ commitIndex: 4, lastApplied: 4, snapshotIndex: 4 })
    expect(node.state.log.baseIndex).toBe(1)
  })

  it('servers take snapshots each for itself, and go on replicating behind them, across elections', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    for (const command of ['x', 'y', 'z']) cluster.node('a').propose(command)
    cluster.run(60)
    for (const node of cluster.up) node.takeSnapshot()
    cluster.node('a').propose('after')
    cluster.run(60)
    for (const node of cluster.up) expect(node.state.lastApplied).toBe(5)
    cluster.crash('a')
    cluster.run(300)
    cluster.restart('a')
    cluster.run(300)
    cluster.leader?.propose('on')
    cluster.run(60)
    const committed = cluster.leader?.state.commitIndex ?? 0
    expect(committed).toBeGreaterThanOrEqual(7)
    for (const node of cluster.up) expect(node.state.lastApplied).toBe(committed)
  })

  it('a leader whose whole term is compacted leads on', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    cluster.node('a').propose('x')
    cluster.run(60)
    for (const node of cluster.up) node.takeSnapshot()
    expect(cluster.node('a').state.log).toMatchObject({ baseIndex: 2, lastIndex: 2 })
    cluster.run(300)
    expect(cluster.leader?.id).toBe('a')
  })

  it('a leader keeps what a follower that it hears still needs', () => {
    const cluster = new CoreCluster()
    cluster.elect('a')
    const isLate = between('a', 'c')
    cluster.node('a').propose('x')
    cluster.settle((packet) => !(isLate(packet) && ofType('appendEntries')(packet)))
    cluster.node('a').takeSnapshot()
    expect(cluster.node('a').state.log.baseIndex).toBe(1)
    cluster.run(100)
    expect(cluster.node('c').state.lastApplied).toBe(2)
    expect(cluster.node('a').state.log.baseIndex).toBe(2)
  })

  it('the leader sends a snapshot to a follower that is so far behind that the next entry is discarded', () => {
    const cluster = laggard()
    expect(cluster.node('a').state.progress.get('c')?.state).toBe('replicate')
    expect(cluster.node('c').state).toMatchObject({ snapshotIndex: 4, lastApplied: 5, commitIndex: 5 })
    expect(cluster.node('c').state.log).toMatchObject({ baseIndex: 4, lastIndex: 5 })
  })

  it('the snapshot replaces the whole log of a follower that holds conflicting entries', () => {
    const cluster = new CoreCluster()
    cluster.elect('c')
    cluster.partition(['a', 'b'], ['c'])
    for (const command of ['lost', 'lost too', 'and this', 'and that']) cluster.node('c').propose(command)
    cluster.campaign('a')
    cluster.run(300)
    const leader = cluster.leader
    leader?.propose('x')
    cluster.run(100)
    leader?.takeSnapshot()
    cluster.heal()
    cluster.run(400)
    expect(cluster.node('c').log).toEqual(cluster.leader?.log)
    expect(cluster.node('c').state.snapshotIndex).toBeGreaterThanOrEqual(3)
  })

  it('a snapshot that describes a prefix of the log leaves the entries that follow it', () => {
    const node = new SoloCore({ terms: [1, 1, 2, 2, 3], currentTerm: 3 })
    const { configuration } = node.state.log.configurations[0] ?? { configuration: configurationOf(['a', 'b', 'c']) }
    const meta = { lastIncludedIndex: 3, lastIncludedTerm: 2, lastIncludedTimestamp: 0, configurationIndex: 0 }
    node.receive('b', installSnapshot({ term: 3, transfer: 1, meta: { ...meta, configuration } }))
    expect(node.state).toMatchObject({ commitIndex: 3, snapshotIndex: 0 })
    expect(node.state.log).toMatchObject({ baseIndex: 0, lastIndex: 5 })
  })

  it('a snapshot that was sent twice, or late, does nothing the second time', () => {
    let isDoubled = false
    const cluster = laggard((packet, network) => {
      if (packet.message.type !== 'installSnapshot' || isDoubled) return
      isDoubled = true
      network.push(packet)
    })
    expect(isDoubled).toBe(true)
    expect(cluster.node('c').state).toMatchObject({ snapshotIndex: 4, lastApplied: 5 })
    cluster.run(200)
    expect(cluster.leader?.id).toBe('a')
  })

  it('a server restarts from the snapshot that it was sent', () => {
    const cluster = laggard()
    cluster.crash('c')
    cluster.restart('c')
    expect(cluster.node('c').state).toMatchObject({ snapshotIndex: 4, commitIndex: 4 })
    cluster.run(100)
    expect(cluster.node('c').state.commitIndex).toBe(5)
  })

  it('a learner is sent a snapshot as any follower is', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b'], learners: ['c'] })
    cluster.elect('a')
    cluster.cut('a', 'c')
    for (const command of ['x', 'y']) cluster.node('a').propose(command)
    cluster.run(200)
    cluster.node('a').takeSnapshot()
    cluster.heal()
    cluster.run(200)
    expect(cluster.node('c').state).toMatchObject({ snapshotIndex: 3, lastApplied: 3, role: 'follower' })
  })

  it('leadership may be handed to a follower that was sent a snapshot', () => {
    const cluster = laggard()
    cluster.node('a').transfer('c')
    cluster.run(100)
    expect(cluster.leader?.id).toBe('c')
  })

  it('the next leader goes on when the one that sends a snapshot fails', () => {
    const cluster = new CoreCluster({ voters: ['a', 'b', 'c', 'd'] })
    cluster.elect('a')
    cluster.cut('a', 'c')
    cluster.cut('b', 'c')
    cluster.cut('d', 'c')
    for (const command of ['x', 'y']) cluster.node('a').propose(command)
    cluster.run(200)
    for (const id of ['a', 'b', 'd']) cluster.node(id).takeSnapshot()
    cluster.heal()
    for (let at = 0; at < 3; at++) {
      cluster.settle((packet) => !ofType('installSnapshot')(packet))
      cluster.node('a').tick(20)
    }
    expect(cluster.network.filter(ofType('installSnapshot'))).toHaveLength(1)
    cluster.crash('a')
    cluster.drop(ofType('installSnapshot'))
    cluster.run(500)
    expect(cluster.leader?.id).not.toBe('a')
    expect(cluster.node('c').state.lastApplied).toBe(cluster.leader?.state.commitIndex)
  })
})

/** c missed entries that a has compacted since: a has sent it its snapshot, and the entry behind that. */
function laggard(onDeliver: (packet: Packet, network: Packet[]) => void = () => {}): CoreCluster {
  const cluster = new CoreCluster()
  cluster.elect('a')
  cluster.cut('a', 'c')
  cluster.cut('b', 'c')
  for (const command of ['x', 'y', 'z']) cluster.node('a').propose(command)
  cluster.run(200)
  cluster.node('a').takeSnapshot()
  cluster.node('a').propose('behind it')
  cluster.onDeliver = (packet) => onDeliver(packet, cluster.network)
  cluster.heal()
  cluster.run(200)
  return cluster
}
