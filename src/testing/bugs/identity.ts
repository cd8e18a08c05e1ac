// Seeded bugs of who a node is (F25): a member whose disk was wiped is taken for the one that it was, or takes itself for it.
import type { BugTable } from './seeded-bug.js'

export const IDENTITY_BUGS: BugTable = {
  'wiped-member-returns': {
    description: 'a member whose disk was wiped is let in again, and its votes and acknowledgements count',
    hazard: 'H19, H112',
    profile: 'storage',
    internals: { nodeRules: { isMembersStore: () => true } },
  },
  'lost-store-campaigns': {
    description: 'a node that was added again campaigns by a configuration that means the store it lost',
    hazard: 'H19',
    profile: 'storage',
    internals: { rules: { isOwnStore: () => true } },
  },
  'founded-twice': {
    description: 'a founder founds the cluster although the stores of others belong to one already',
    hazard: 'H112',
    profile: 'membership',
    internals: { nodeRules: { isEmptyStore: () => true } },
  },
}
