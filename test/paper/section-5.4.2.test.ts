// §5.4.2, committing entries from previous terms (figure 8): a majority of replicas commits nothing that is of an older
// term; it is committed with the first entry of the leader's own term behind it (H21).
import { RULES, type Rules } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { SafetyViolation } from '../support/cluster-checks.js'
import { CoreCluster, diskOf } from '../support/core-cluster.js'
import { SoloCore } from '../support/solo-core.js'

/**
 * Figure 8. In (b), S5 was elected for term 3 and holds an entry of its own at index 2. In (c), S1 leads term 4 and brings
 * its entry 2 of term 2 to a majority, S3 and S4 here, while its own no-op at index 3 gets to nobody. In (d), it has
 * crashed, and S5 is elected with the votes of S2, S3 and S4 and overwrites entry 2 everywhere.
 */
function figure8(rules: Rules): CoreCluster {
  const voters = ['s1', 's2', 's3', 's4', 's5']
  const logs = { s1: [1, 2], s2: [1, 2], s3: [1], s4: [1], s5: [1, 3] }
  const disks = Object.fromEntries(Object.entries(logs).map(([id, terms]) => [id, diskOf(terms, 3)]))
  const cluster = new CoreCluster({ voters, disks, rules, appendEntries: 1, checkFreshness: false })
  cluster.partition(['s1', 's2', 's3', 's4'], ['s5'])
  cluster.campaign('s1')
  const holdsTwo = (id: string) => cluster.node(id).entry(2) !== undefined
  // A probe that is refused gets through, and entry 2; what follows it does not.
  cluster.settle((packet) => {
    const { message } = packet
    return message.type !== 'appendEntries' || message.prevLogIndex < 2 || !holdsTwo(packet.to)
  })
  return cluster
}

function overwrite(cluster: CoreCluster): void {
  cluster.crash('s1')
  cluster.drop()
  cluster.heal()
  for (const node of cluster.up) node.clock += 100
  // S5 was cut off since term 3 and learns of term 4 from the first that refuses it.
  for (let attempt = 0; attempt < 2 && cluster.node('s5').state.role !== 'leader'; attempt++) {
    cluster.campaign('s5')
    cluster.settle()
  }
}

describe('§5.4.2', () => {
  it('figure 8 (c): an entry of term 2 on a majority is not committed by the leader of term 4', () => {
    const cluster = figure8(RULES)
    const holders = cluster.up.filter((node) => node.entry(2)?.term === 2).map((node) => node.id)
    expect(holders).toEqual(['s1', 's2', 's3', 's4'])
    expect(cluster.node('s1').state).toMatchObject({ role: 'leader', currentTerm: 4, commitIndex: 0 })
  })

  it('figure 8 (d): S5 may still overwrite it', () => {
    const cluster = figure8(RULES)
    overwrite(cluster)
    expect(cluster.node('s5').state.role).toBe('leader')
    for (const id of ['s2', 's3', 's4']) expect(cluster.node(id).entry(2)?.term).toBe(3)
  })

  it('figure 8 (d): a leader that counts replicas of older terms loses what it called committed', () => {
    const cluster = figure8({ ...RULES, countsForCommit: () => true })
    expect(cluster.node('s1').state.commitIndex).toBe(2)
    expect(() => overwrite(cluster)).toThrow(SafetyViolation)
  })

  it('figure 8 (e): with an entry of its own term on a majority both are committed, and S5 cannot win', () => {
    const cluster = figure8(RULES)
    cluster.settle()
    expect(cluster.node('s1').state.commitIndex).toBe(3)
    overwrite(cluster)
    expect(cluster.node('s5').state.role).not.toBe('leader')
  })

  it('a new leader opens its term with a no-op, so that it can commit at all', () => {
    const node = new SoloCore({ terms: [1, 1] })
    node.becomeLeader()
    expect(node.log.at(-1)).toMatchObject({ index: 3, term: 2, type: 'noop' })
    node.acknowledge('b', 2)
    expect(node.state.commitIndex).toBe(0)
    node.acknowledge('b', 3)
    expect(node.state.commitIndex).toBe(3)
  })
})
