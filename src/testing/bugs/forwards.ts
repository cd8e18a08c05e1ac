// Seeded bugs of proposals that a follower passes on to its leader (F16, F17).
import type { CoreState } from '../../core/state.js'
import type { CoreEvent } from '../../core/event.js'
import { type BugTable } from './seeded-bug.js'
import { received, tampered, withFields } from './tampered-core.js'

export const FORWARD_BUGS: BugTable = {
  'forward-taken-twice': {
    description: 'a leader does not remember which forwards it has taken: a copy is appended again',
    hazard: 'H37, H115',
    internals: tampered(({ state }) => ({
      before: (event) => {
        originOf(state, event)?.answers.clear()
        return event
      },
    })),
  },
  'forward-overtakes': {
    description: 'a leader takes a forward whose number is below one that it has taken: calls change places',
    hazard: 'H115',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const origin = originOf(state, event)
        if (origin !== undefined) origin.highestAccepted = 0
        return event
      },
    })),
  },
  'forward-taken-in-later-term': {
    description: 'a leader takes a forward that was meant for a leader of an earlier term, which may have taken it too',
    hazard: 'H115',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const forward = received(event, 'proposeRequest')
        if (forward === null || state.role !== 'leader' || forward.term >= state.currentTerm) return event
        const origin = originOf(state, event)
        // Numbers of two terms say nothing about each other.
        if (origin !== undefined) origin.highestAccepted = 0
        return withFields(event, 'proposeRequest', { term: state.currentTerm })
      },
    })),
  },
  'forward-refused-after-step-down': {
    description: 'who led forgets what it took, and refuses the copy of a forward that it had appended',
    hazard: 'H36, H115',
    profile: 'divergence',
    internals: tampered(({ state }) => ({
      before: (event) => {
        if (state.role !== 'leader') state.forwardOrigins.clear()
        return event
      },
    })),
  },
  'forward-refused-after-restart': {
    description: 'who led before its restart refuses the copy of a forward that it had appended',
    hazard: 'H36, H115',
    profile: 'shortLives',
    internals: tampered(({ state }) => {
      let forgottenTerm = 0
      return {
        before: (event) => {
          forgottenTerm = state.forgottenTerm
          if (isForward(event)) state.forgottenTerm = 0
          return event
        },
        after: () => {
          state.forgottenTerm = Math.max(state.forgottenTerm, forgottenTerm)
        },
      }
    }),
  },
  'forward-refusal-forgotten': {
    description: 'a leader that refused a forward takes the copy of it',
    hazard: 'H115',
    internals: tampered(({ state }) => ({
      before: (event) => {
        const answers = originOf(state, event)?.answers ?? new Map<number, { refusal: unknown }>()
        for (const [number, { refusal }] of answers) if (refusal !== null) answers.delete(number)
        return event
      },
    })),
  },
  'forward-answer-of-earlier-boot': {
    description: 'the answer to a forward of an earlier boot, whose numbers were the same, is taken',
    hazard: 'H115, H95',
    internals: tampered(({ options: { boot } }) => ({
      before: (event) => withFields(event, 'proposeResponse', { boot }),
    })),
  },
  'forward-result-dropped': {
    description: "the answer to a forward waits for the leader's disk, and its result, applied meanwhile, is gone",
    hazard: 'H116',
    internals: {
      nodeRules: { keepsResults: () => false },
      ...tampered(() => ({
        after: ({ messages, messagesAfterPersist }) => {
          for (const envelope of messages.splice(0)) {
            const waits = envelope.message.type === 'proposeResponse'
            ;(waits ? messagesAfterPersist : messages).push(envelope)
          }
        },
      })),
    },
  },
}

function isForward(event: CoreEvent): boolean {
  return event.type === 'receive' && event.message.type === 'proposeRequest'
}

function originOf(state: CoreState, event: CoreEvent): ReturnType<CoreState['forwardOrigins']['get']> {
  return event.type === 'receive' && isForward(event) ? state.forwardOrigins.get(event.from) : undefined
}
