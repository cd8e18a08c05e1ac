// Seeded bugs of elections, votes and terms (§5.2, §5.4.1, thesis §4.2.3 and §9.6).
import type { CoreEvent } from '../../core/event.js'
import { type LogTrail, lastTerm } from '../../core/log-trail.js'
import type { Output } from '../../core/output.js'
import type { Quorum } from '../../core/quorum.js'
import type { LogIndex, NodeId, Term } from '../../core/types.js'
import type { BugTable } from './seeded-bug.js'
import { alterMessages, hurry, received, tampered, type Victim, withMessage } from './tampered-core.js'

export const ELECTION_BUGS: BugTable = {
  'vote-before-durable': {
    description: 'a voter grants its vote before the vote is durable',
    hazard: 'H1',
    internals: tampered(() => ({
      after: (output) => hurry(output, ({ type }) => type === 'requestVoteResponse'),
    })),
  },
  'candidacy-before-durable': {
    description: 'a candidate asks for votes, and counts its own, before its term is durable',
    hazard: 'H6',
    internals: tampered(({ state, options }) => ({
      after: (output) => {
        if (state.role !== 'candidate' || output.hardState === undefined) return
        state.persistedHardState = output.hardState
        state.votes.add(options.id)
        state.grants.add(options.id)
        hurry(output, ({ type }) => type === 'requestVote')
      },
    })),
  },
  'two-votes-a-term': {
    description: 'a voter grants its vote to everybody who asks in a term',
    hazard: 'H2',
    internals: { rules: { hasVoteFor: () => true } },
  },
  'vote-cleared-on-step-down': {
    description: 'a candidate that gives way within its term forgets whom it voted for',
    hazard: 'H2',
    internals: tampered(({ state }) => {
      let [term, role] = [state.currentTerm, state.role]
      return {
        after: (output) => {
          const gaveWay = state.currentTerm === term && role !== 'follower' && state.role === 'follower'
          ;[term, role] = [state.currentTerm, state.role]
          if (!gaveWay) return
          state.votedFor = null
          output.setHardState({ currentTerm: term, votedFor: null })
        },
      }
    }),
  },
  'vote-forgotten-at-restart': {
    description: 'a node comes back with its term but without its vote',
    hazard: 'H1',
    internals: tampered(({ state }) => {
      state.votedFor = null
      state.persistedHardState = { currentTerm: state.currentTerm, votedFor: null }
      return {}
    }),
  },
  'index-before-term': {
    description: 'the longer log counts as the newer one, whatever its last term is',
    hazard: 'H3',
    internals: {
      rules: {
        isUpToDate({ lastLogIndex, lastLogTerm }: { lastLogIndex: LogIndex; lastLogTerm: Term }, log: LogTrail) {
          return lastLogIndex > log.lastIndex || (lastLogIndex === log.lastIndex && lastLogTerm >= lastTerm(log))
        },
      },
    },
  },
  'any-log-may-lead': {
    description: 'a voter grants its vote without comparing the logs',
    hazard: 'H3',
    internals: { rules: { isUpToDate: () => true } },
  },
  'votes-of-earlier-terms': {
    description: 'a candidate counts votes that it was given in an earlier term',
    hazard: 'H4',
    profile: 'elections',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const message = received(event, 'requestVoteResponse')
        const isLate = message?.voteGranted === true && message.term < state.currentTerm
        return isLate ? withMessage(event, { ...message, term: state.currentTerm }) : event
      },
    })),
  },
  'answers-counted-not-voters': {
    description: 'a candidate counts answers instead of voters, so that a duplicate counts twice',
    hazard: 'H4',
    internals: tampered(({ state, options }) => ({
      before: (event) => {
        const message = received(event, 'requestVoteResponse')
        if (event.type !== 'receive' || message?.voteGranted !== true || !state.grants.has(event.from)) return event
        const next = state.quorum.incoming.find((id) => id !== options.id && !state.grants.has(id))
        return next === undefined ? event : { ...event, from: next }
      },
    })),
  },
  'pre-votes-counted-as-votes': {
    description: 'the grants of the pre-vote count as votes in the election',
    hazard: 'H4',
    internals: tampered(({ state, options }) => {
      let preVotes: readonly NodeId[] = []
      return {
        before: (event) => {
          const from = received(event, 'preVoteResponse')?.voteGranted === true && 'from' in event ? [event.from] : []
          preVotes = state.role === 'preCandidate' ? [...state.votes, ...from] : []
          return event
        },
        after: () => {
          if (state.role !== 'candidate') return
          for (const id of preVotes) if (id !== options.id) state.grants.add(id)
        },
      }
    }),
  },
  'half-elects': {
    description: 'in a cluster of even size half of the voters elect a leader',
    hazard: 'H32',
    internals: { rules: { hasWon: (quorum, votes) => votesIn(quorum, votes) >= quorum.incoming.length / 2 } },
  },
  'no-pre-vote': {
    description: 'a node raises its term without asking first, and everybody listens to it',
    hazard: 'H9, H13',
    internals: {
      ...tampered(({ state, also }) => ({
        after: (output, event) => {
          if (state.role === 'preCandidate') winPreVote({ state, also }, output, event)
        },
      })),
      rules: { isSticky: () => false },
    },
  },
  'no-stickiness': {
    description: 'a voter that hears its leader helps to replace it',
    hazard: 'H14',
    internals: { rules: { isSticky: () => false } },
  },
  'no-check-quorum': {
    description: 'a leader that hears nobody goes on leading',
    hazard: 'H13',
    internals: tampered(({ state }) => ({
      before: (event) => {
        if (state.role === 'leader') state.quorumCheckSince = event.now
        return event
      },
    })),
  },
  'lower-term-unanswered': {
    description: 'a message of a lower term gets no answer, so that its sender never learns the term',
    hazard: 'H10',
    internals: tampered(({ state }) => ({
      before: (event) => (event.type === 'receive' && event.message.term < state.currentTerm ? null : event),
    })),
  },
  'pre-vote-raises-term': {
    description: 'a voter takes the term of a pre-vote for its own',
    hazard: 'H11',
    internals: tampered(({ state, also }) => ({
      after: (output, event) => {
        const message = received(event, 'preVote')
        if (event.type !== 'receive' || message === null || message.term <= state.currentTerm) return
        also({ ...event, message: { type: 'requestVoteResponse', term: message.term, voteGranted: false } }, output)
      },
    })),
  },
  'refused-votes-reset-timer': {
    description: 'a voter waits a whole timeout again whenever somebody asks for its vote, even in vain',
    hazard: 'H15',
    internals: tampered(({ state, options }) => ({
      after: (_output, event) => {
        if (received(event, 'preVote') === null && received(event, 'requestVote') === null) return
        state.electionDeadline = Math.max(state.electionDeadline, event.now + 2 * options.electionTimeoutMs)
      },
    })),
  },
  'term-led-again-after-restart': {
    description: 'a node that restarts goes on with the votes of the term that it was in, and may lead it twice',
    hazard: 'H118',
    profile: 'shortLives',
    internals: tampered(({ state, options }) => {
      if (state.votedFor === options.id) {
        state.forgottenTerm = state.currentTerm - 1
        state.grants.add(options.id)
      }
      return {}
    }),
  },
  'old-leader-obeyed': {
    description: 'a follower obeys a leader of an earlier term',
    hazard: 'H10',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const message = received(event, 'appendEntries') ?? received(event, 'heartbeat')
        const isOld = message !== null && message.term < state.currentTerm && state.role === 'follower'
        return isOld ? withMessage(event, { ...message, term: state.currentTerm }) : event
      },
    })),
  },
}

function votesIn({ incoming }: Quorum, votes: ReadonlySet<NodeId>): number {
  return incoming.filter((id) => votes.has(id)).length
}

/** Answers its own questions, as if everybody had agreed. */
function winPreVote({ state, also }: Pick<Victim, 'state' | 'also'>, output: Output, event: CoreEvent): void {
  alterMessages(output, ({ message }) => (message.type === 'preVote' ? null : message))
  const [term, round] = [state.currentTerm + 1, state.preVoteRound]
  for (const from of state.quorum.incoming) {
    const message = { type: 'preVoteResponse', term, round, voteGranted: true } as const
    if (state.role === 'preCandidate')
      also({ type: 'receive', now: event.now, wallTime: state.wallTime, from, message, budgetBytes: 0 }, output)
  }
}
