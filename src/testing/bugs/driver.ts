// Seeded bugs of the driver around the core: what calls are told, who shares a buffer, when entries and queries run, what
// is sent, and how it stops.
import { bytesCodec } from '../../codec/bytes.js'
import type { ApplyContext, StateMachine } from '../../interfaces/state-machine.js'
import type { BugTable } from './seeded-bug.js'
import { tampered } from './tampered-core.js'

type Machine = StateMachine<unknown, unknown>

export const DRIVER_BUGS: BugTable = {
  'result-of-another-command': {
    description: 'a call is found again by its index alone: it gets the result of what took its place',
    hazard: 'H35',
    internals: { nodeRules: { isOwnEntry: () => true } },
  },
  'appended-called-rejected': {
    description: 'a call that ends while its command stands in a log is told that it was not applied',
    hazard: 'H36',
    internals: { nodeRules: { outcomeOfEnded: (stage) => (stage === 'forwarded' ? 'unknown' : 'rejected') } },
  },
  'forwarded-called-rejected': {
    description: 'a call whose leader never answered is told that its command was not applied',
    hazard: 'H36',
    internals: { nodeRules: { outcomeOfEnded: (stage) => (stage === 'appended' ? 'unknown' : 'rejected') } },
  },
  'calls-open-after-stop': {
    description: 'stop() leaves the promises of calls open',
    hazard: 'H101',
    internals: { nodeRules: { ends: (reason) => reason !== 'stopped' } },
  },
  'deadlines-ignored': {
    description: 'the deadline of a call does not end it',
    hazard: 'H101, H67',
    internals: { nodeRules: { ends: (reason) => reason !== 'timeout' } },
  },
  'buffer-of-caller-kept': {
    description: "the log keeps the caller's buffer, which is written over when propose has returned",
    hazard: 'H96',
    internals: { nodeRules: { keepEncoded: (encoded) => encoded } },
  },
  'buffer-of-log-given': {
    description: "the state machine is given the log's own buffer, and writes over it",
    hazard: 'H96, H104',
    internals: {},
    codec: { encode: (command) => bytesCodec.encode(command), decode: (data) => data },
  },
  'query-during-apply': {
    description: 'a read runs while an entry is half applied',
    hazard: 'H130',
    internals: { nodeRules: { mayQuery: ({ queryCount }, isCaughtUp) => queryCount === 0 || isCaughtUp } },
  },
  'apply-during-query': {
    description: 'entries are applied while a query goes on',
    hazard: 'H130',
    internals: {
      nodeRules: { mayApply: ({ isApplying, isFetching, isHeld }) => !isApplying && !isFetching && !isHeld },
    },
  },
  'applied-before-committed': {
    description: 'what is durable here is applied, committed or not',
    hazard: 'H27',
    internals: { nodeRules: { applicable: (_commitIndex, persistedIndex) => persistedIndex } },
  },
  'entry-skipped': {
    description: 'the first command behind a restart is not applied again',
    hazard: 'H75',
    internals: {},
    wrappers: { stateMachine: (machine, { incarnation }) => (incarnation === 1 ? machine : skipsFirst(machine)) },
  },
  'entry-applied-twice': {
    description: 'the command that was applied last is applied again when a new term begins',
    hazard: 'H51, H76',
    internals: {},
    wrappers: { stateMachine: repeatsAtNewTerm },
  },
  'apply-reads-own-clock': {
    description: "entries are applied with this node's time instead of the leader's",
    hazard: 'H74',
    internals: {},
    wrappers: {
      stateMachine: (machine, { clock }) => {
        return changed(machine, (command, at) => machine.apply(command, { ...at, timestamp: clock.wallTime() }))
      },
    },
  },
  'range-of-earlier-term-sent': {
    description: 'entries that were asked for in a term that is over are sent under it',
    hazard: 'H98, H128',
    internals: { nodeRules: { maySendRange: () => true } },
  },
  'large-entry-blocks': {
    description: 'an entry that is larger than a message may be is never sent, nor what is behind it',
    hazard: 'H124, H34',
    internals: { nodeRules: { endsMessage: (_entryCount, isOverLimits) => isOverLimits } },
  },
  'stall-not-noticed': {
    description: 'a node that stood still believes what its late timers say',
    hazard: 'H105, H16',
    internals: tampered(({ state }) => ({
      before: (event) => {
        state.now = Math.max(state.now, event.now)
        return event
      },
    })),
  },
  'stores-closed-during-write': {
    description: 'stop() closes the stores while a write is under way',
    hazard: 'H109',
    internals: { nodeRules: { awaitsWrites: () => false } },
  },
}

function changed(machine: Machine, apply: Machine['apply']): Machine {
  return {
    apply,
    snapshot: (context) => machine.snapshot(context),
    restore: (chunks, meta) => machine.restore(chunks, meta),
  }
}

function skipsFirst(machine: Machine): Machine {
  let isFirst = true
  return changed(machine, (command, context) => {
    const skips = isFirst
    isFirst = false
    return skips ? undefined : machine.apply(command, context)
  })
}

function repeatsAtNewTerm(machine: Machine): Machine {
  let last: { command: unknown; context: ApplyContext } | null = null
  return changed(machine, async (command, context) => {
    const previous = last
    last = { command, context }
    if (previous !== null && previous.context.term < context.term)
      await machine.apply(previous.command, previous.context)
    return machine.apply(command, context)
  })
}
