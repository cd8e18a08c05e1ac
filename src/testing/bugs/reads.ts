// Seeded bugs of reads (§8, thesis §6.4, F19, F21).
import type { Output } from '../../core/output.js'
import { observeFreshness } from '../../core/read-index.js'
import type { CoreState } from '../../core/state.js'
import type { BugTable } from './seeded-bug.js'
import { tampered, withFields } from './tampered-core.js'

export const READ_BUGS: BugTable = {
  'read-without-round': {
    description: 'a leader answers its own reads at once, without asking whether anybody still follows it',
    hazard: 'H62',
    internals: tampered(({ state }) => ({
      after: (output, event) => {
        if (event.type === 'read' && state.role === 'leader') answerOwnReads(state, output)
      },
    })),
  },
  'read-before-own-commit': {
    description: 'a new leader gives reads a round before an entry of its own term is committed',
    hazard: 'H63',
    internals: tampered(({ state }) => ({
      after: (output) => {
        if (state.role !== 'leader' || state.commitIndex >= state.termFirstIndex) return
        if (!state.reads.some(({ round }) => round === null)) return
        state.readRound += 1
        for (const read of state.reads) if (read.round === null) joinRound(state, read)
        state.heartbeatDeadline = state.now
        output.deadline = state.now
      },
    })),
  },
  'read-confirmed-by-earlier-answer': {
    description: 'an answer to a heartbeat that was sent before the read confirms its round',
    hazard: 'H64',
    internals: tampered(({ state }) => ({
      before: (event) => withFields(event, 'heartbeatResponse', { round: state.readRound }),
    })),
  },
  'read-joins-round': {
    description: 'a read joins the round that is on its way already',
    hazard: 'H121',
    profile: 'staleReads',
    internals: tampered(({ state }) => ({
      after: () => {
        if (state.role !== 'leader' || state.readRound === 0 || state.commitIndex < state.termFirstIndex) return
        for (const read of state.reads) if (read.round === null) joinRound(state, read)
      },
    })),
  },
  'read-survives-step-down': {
    description: 'reads that wait for a round when the leadership ends are answered instead of started again',
    hazard: 'H121, H65',
    internals: tampered(({ state }) => ({
      after: (output) => {
        if (!output.roles.some(({ previous }) => previous === 'leader')) return
        output.reads.forEach(({ id }, at) => {
          output.reads[at] = { type: 'ready', id, readIndex: state.commitIndex }
        })
      },
    })),
  },
  'read-answer-of-earlier-attempt': {
    description: 'the answer to an earlier attempt serves the read that waits now',
    hazard: 'H65',
    internals: tampered(({ state }) => ({
      before: (event) => {
        if (event.type !== 'receive' || event.message.type !== 'readIndexResponse') return event
        const newest = [...state.forwardedReads.keys()].at(-1)
        return newest === undefined ? event : withFields(event, 'readIndexResponse', { number: newest })
      },
    })),
  },
  'read-answer-of-earlier-boot': {
    description: 'the answer to a read of an earlier boot, whose numbers were the same, is taken',
    hazard: 'H66',
    profile: 'shortLives',
    internals: tampered(({ options: { boot } }) => ({
      before: (event) => withFields(event, 'readIndexResponse', { boot }),
    })),
  },
  'read-before-applied': {
    description: 'a read runs when its index is known, not when it is applied',
    hazard: 'H67',
    internals: tampered(() => ({
      after: ({ reads }) => {
        reads.forEach((outcome, at) => {
          if (outcome.type === 'ready') reads[at] = { ...outcome, readIndex: 0 }
        })
      },
    })),
  },
  'min-index-ignored': {
    description: 'a local read does not wait for the index that it asked for',
    hazard: 'H70',
    internals: { nodeRules: { readIndexOf: (_wanted, given) => given } },
  },
  'staleness-since-arrival': {
    description: 'a follower calls its state as fresh as the last heartbeat that arrived',
    hazard: 'H121',
    internals: tampered(({ state }) => ({
      after: (_output, event) => {
        if (event.type !== 'receive' || event.message.type !== 'heartbeat') return
        const { term, leaderCommit } = event.message
        if (term === state.currentTerm) observeFreshness(state, event.now, leaderCommit)
      },
    })),
  },
  'staleness-without-quorum-age': {
    description: 'a follower forgets that its leader may have been without a quorum for a while',
    hazard: 'H121',
    profile: 'staleReads',
    internals: tampered(() => ({ before: (event) => withFields(event, 'heartbeat', { quorumAgeMs: 0 }) })),
  },
  'quorum-age-since-arrival': {
    description: 'a leader counts the age of its quorum from when answers came, not from when it had asked',
    hazard: 'H68, H121',
    profile: 'staleReads',
    internals: tampered(() => ({ before: (event) => withFields(event, 'heartbeatResponse', { echoMs: event.now }) })),
  },
}

function joinRound(state: CoreState, read: CoreState['reads'][number]): void {
  read.round = state.readRound
  read.readIndex = state.commitIndex
}

function answerOwnReads(state: CoreState, output: Output): void {
  for (let at = state.reads.length - 1; at >= 0; at--) {
    const read = state.reads[at]
    if (read === undefined || read.origin !== null) continue
    state.reads.splice(at, 1)
    output.reads.push({ type: 'ready', id: read.id, readIndex: state.commitIndex })
  }
}
