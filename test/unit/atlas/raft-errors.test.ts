// What a client of RESP is told of an error of the node.
import { RaftError } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { raftErrorLine } from '../../../examples/atlas-kv/src/resp/raft-errors.js'

describe('raftErrorLine', () => {
  it.each([
    ['RAFT_NO_LEADER', 'CLUSTERDOWN No raft leader'],
    ['RAFT_NOT_LEADER', 'CLUSTERDOWN the leader changed; not applied, try again'],
    ['RAFT_NOT_MEMBER', 'CLUSTERDOWN this node is not a member of the cluster (any more, or not yet); not applied'],
    ['RAFT_OVERLOADED', 'BUSY proposal queue is full'],
  ] as const)('says of %s: %s', (code, line) => {
    expect(raftErrorLine(new RaftError(code, 'why'))).toBe(line)
  })
})
