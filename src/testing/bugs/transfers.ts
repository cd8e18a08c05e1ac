// Seeded bugs of leadership transfer (thesis §3.10): none of them loses anything, each breaks the promise to be brief.
import type { BugTable } from './seeded-bug.js'
import { alterMessages, tampered } from './tampered-core.js'

export const TRANSFER_BUGS: BugTable = {
  'timeout-now-too-early': {
    description: 'the target of a transfer is told to campaign before it has caught up',
    hazard: 'H20',
    profile: 'liveness',
    internals: { rules: { isCaughtUp: () => true } },
  },
  'proposals-during-transfer': {
    description: 'a leader that hands over takes proposals all the same: the target need never catch up',
    hazard: 'H20',
    profile: 'liveness',
    internals: { rules: { takesProposals: () => true } },
  },
  'transfer-never-given-up': {
    description: 'a leader whose target is away waits for it for ever, and so do all proposals',
    hazard: 'H20',
    profile: 'liveness',
    internals: { rules: { isTransferOver: () => false } },
  },
  'every-candidate-disturbs': {
    description: 'each vote is asked for as if the leader had told the candidate to campaign: nobody is sticky',
    hazard: 'H20, H9',
    profile: 'liveness',
    internals: tampered(() => ({
      after: (output) =>
        alterMessages(output, ({ message }) =>
          message.type === 'requestVote' ? { ...message, leadershipTransfer: true } : message,
        ),
    })),
  },
}
