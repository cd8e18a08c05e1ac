// Seeded bugs of membership changes (§6, thesis §4): when a configuration may come, by which half it is counted, what a
// truncation or a restart makes of it, who stays, and which answers and requests belong to what.
import type { SnapshotStore } from '../../interfaces/snapshot-store.js'
import type { LogEntry } from '../../core/types.js'
import type { SnapshotMeta } from '../../interfaces/state-machine.js'
import type { Rules } from '../../core/rules.js'
import { hasQuorum, quorumValue } from '../../core/quorum.js'
import type { BugTable, SeededBug } from './seeded-bug.js'
import { received, type Tampering, tampered, type Victim, withMessage } from './tampered-core.js'

export const MEMBERSHIP_BUGS: BugTable = {
  'change-before-own-commit': ruleBug(
    'H39',
    'a leader changes the members before an entry of its own term is committed',
    {
      mayChangeMembers: () => true,
    },
  ),
  'change-before-commit': ruleBug(
    'H40, H42',
    'the next configuration is appended before the one in force is committed',
    {
      isConfigurationCommitted: () => true,
    },
  ),
  'joint-skipped': ruleBug('H41', 'voters that differ by several are changed in one step', {
    needsJointConsensus: () => false,
  }),
  'joint-half-commits': ruleBug('H41', 'in joint consensus a majority of the new voters commits', {
    replicatedIndex: (quorum, matchIndexOf) => quorumValue({ ...quorum, outgoing: [] }, matchIndexOf),
  }),
  'joint-half-elects': ruleBug('H41', 'in joint consensus a majority of the new voters elects a leader', {
    hasWon: (quorum, votes) => hasQuorum({ ...quorum, outgoing: [] }, votes),
  }),
  'left-out-leader-stays': ruleBug('H44', 'a leader that the committed configuration leaves out goes on to lead', {
    mustDepart: () => false,
  }),
  'left-out-leader-counts-itself': coreBug(
    'H44',
    'a leader that is left out counts itself all the same',
    ({ state, options }) => ({
      after: () => {
        const { incoming, outgoing } = state.quorum
        if (state.role === 'leader' && !incoming.includes(options.id))
          state.quorum = { incoming: [...incoming, options.id], outgoing }
      },
    }),
  ),
  'truncated-configuration-stays': coreBug(
    'H43',
    'a configuration stays in force when its entry is truncated',
    ({ state }) => {
      let [epoch, held] = [state.epoch, state.log.configurations.at(-1)]
      return {
        after: () => {
          const { configurations } = state.log
          const isGone = held !== undefined && held.index > (configurations.at(-1)?.index ?? 0)
          if (state.epoch !== epoch && held !== undefined && isGone) configurations.push(held)
          epoch = state.epoch
          held = configurations.at(-1)
        },
      }
    },
  ),
  'session-not-told-apart': coreBug(
    'H24',
    'answers of a peer from before it was removed and added again count',
    ({ state }) => ({
      before: (event) => {
        const message = received(event, 'appendEntriesResponse')
        const addedAt = event.type === 'receive' ? state.progress.get(event.from)?.addedAt : undefined
        return message === null || addedAt === undefined ? event : withMessage(event, { ...message, addedAt })
      },
    }),
  ),
  'copy-of-change-acts-again': coreBug(
    'H37',
    'a copy of a request to change the members acts a second time',
    ({ state }) => ({
      before: (event) => {
        if (received(event, 'membershipRequest') !== null && event.type === 'receive')
          state.changeOrigins.delete(event.from)
        return event
      },
    }),
  ),
  'snapshot-of-first-configuration': {
    description: 'each snapshot has the configuration of the first one that the node took',
    hazard: 'H59',
    profile: 'membership',
    internals: {},
    wrappers: { snapshotStore: (store) => withFirstConfiguration(store) },
  },
  'configurations-lost-at-restart': {
    description:
      'a store forgets which of its entries are configurations: the bootstrap list is in force after a restart',
    hazard: 'H43',
    profile: 'membership',
    internals: {},
    wrappers: {
      logStore: (store) => ({
        open: async () => ({ ...(await store.open()), configurations: [] as readonly LogEntry[] }),
        write: (batch) => store.write(batch),
        read: (first, last, maxBytes) => store.read(first, last, maxBytes),
        compact: (index) => store.compact(index),
        close: () => store.close(),
      }),
    },
  },
}

function ruleBug(hazard: string, description: string, rules: Partial<Rules>): SeededBug {
  return { description, hazard, profile: 'membership', internals: { rules } }
}

function coreBug(hazard: string, description: string, begin: (victim: Victim) => Tampering): SeededBug {
  return { description, hazard, profile: 'membership', internals: tampered(begin) }
}

function withFirstConfiguration(store: SnapshotStore): SnapshotStore {
  let first: Pick<SnapshotMeta, 'configuration' | 'configurationIndex'> | null = null
  return {
    create: (meta, source) => {
      const { configuration, configurationIndex } = meta
      first ??= { configuration, configurationIndex }
      return store.create({ ...meta, ...first }, source)
    },
    latest: () => store.latest(),
    close: () => store.close(),
  }
}
