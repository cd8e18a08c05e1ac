// Elections where disks are slower than election timeouts (F1, F32, H125): votes that come late still count, and nobody
// hurries the cluster into another term while they are on their way.
import type { Message, NodeId } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { CoreCluster } from '../../support/core-cluster.js'
import { SoloCore } from '../../support/solo-core.js'

const vote = (core: SoloCore, from: NodeId): void => {
  core.receive(from, { type: 'requestVoteResponse', term: core.state.currentTerm, voteGranted: true })
}

const preVotes = (core: SoloCore, ...from: readonly NodeId[]): void => {
  const { preVoteRound: round, currentTerm } = core.state
  for (const id of from)
    core.receive(id, { type: 'preVoteResponse', term: currentTerm + 1, round, voteGranted: true } satisfies Message)
}

/** A candidate of term 1 whose election timed out: it asks for pre-votes for term 2. */
function lateCandidate(voters: readonly NodeId[]): SoloCore {
  const core = new SoloCore({ voters })
  core.tick(200)
  preVotes(core, ...voters.slice(1, 1 + voters.length / 2))
  expect(core.state).toMatchObject({ role: 'candidate', currentTerm: 1 })
  core.tick(200)
  expect(core.state).toMatchObject({ role: 'preCandidate', currentTerm: 1, votedFor: 'a' })
  return core
}

describe('a candidate whose election timed out', () => {
  it('leads by the votes that come late, in the term that they are for', () => {
    const core = lateCandidate(['a', 'b', 'c'])
    vote(core, 'b')
    expect(core.state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })

  it('counts the early and the late votes of the term together, and pre-votes never as votes (H4)', () => {
    const core = new SoloCore({ voters: ['a', 'b', 'c', 'd', 'e'] })
    core.tick(200)
    preVotes(core, 'b', 'c')
    vote(core, 'b')
    core.tick(200)
    preVotes(core, 'd')
    expect(core.state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    vote(core, 'c')
    expect(core.state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })

  it('forgets the votes of the term when it stands for the next one', () => {
    const core = lateCandidate(['a', 'b', 'c', 'd', 'e'])
    vote(core, 'b')
    preVotes(core, 'd', 'e')
    expect(core.state).toMatchObject({ role: 'candidate', currentTerm: 2 })
    core.receive('c', { type: 'requestVoteResponse', term: 1, voteGranted: true })
    vote(core, 'd')
    expect(core.state).toMatchObject({ role: 'candidate', currentTerm: 2 })
    vote(core, 'e')
    expect(core.state).toMatchObject({ role: 'leader', currentTerm: 2 })
  })

  it('counts no votes of a candidacy before its restart: it may have led that term, and lost entries of it', () => {
    const core = new SoloCore({ voters: ['a', 'b', 'c'], currentTerm: 4, votedFor: 'a' })
    core.timeOut()
    expect(core.state).toMatchObject({ role: 'preCandidate', currentTerm: 4, votedFor: 'a' })
    vote(core, 'b')
    vote(core, 'c')
    expect(core.state).toMatchObject({ role: 'preCandidate', currentTerm: 4 })
  })

  it('never leads a term twice, however many vote for it late', () => {
    const core = lateCandidate(['a', 'b', 'c', 'd', 'e'])
    for (const id of ['b', 'c']) vote(core, id)
    expect(core.state).toMatchObject({ role: 'leader', currentTerm: 1 })
    core.tick(100)
    expect(core.state).toMatchObject({ role: 'follower', currentTerm: 1 })
    core.tick(200)
    for (const id of ['b', 'c', 'd', 'e']) vote(core, id)
    expect(core.state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
  })
})

describe('a voter whose vote is not durable yet', () => {
  it('refuses pre-votes until it is, and then agrees again', () => {
    const core = new SoloCore()
    const ask = (term: number): boolean | undefined => {
      core.receive('c', { type: 'preVote', term, round: 1, lastLogIndex: 0, lastLogTerm: 0 })
      core.persist()
      return core.take('preVoteResponse').at(-1)?.message.voteGranted
    }
    core.persistence = 'later'
    core.receive('b', { type: 'requestVote', term: 1, lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false })
    expect(ask(2)).toBe(false)
    expect(ask(2)).toBe(true)
  })
})

describe('a cluster', () => {
  it.each([1, 2, 3, 4, 5])(
    'elects a leader although each write takes ten election timeouts, seed %d (H125)',
    (seed) => {
      const cluster = new CoreCluster({ seed })
      for (const node of cluster.nodes.values()) node.persistence = 'later'
      for (let second = 0; second < 60 && cluster.leader === null; second++) {
        cluster.run(1_000)
        for (const node of cluster.nodes.values()) node.persist(1)
      }
      expect(cluster.leader).not.toBeNull()
    },
  )
})
