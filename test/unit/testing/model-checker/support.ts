import type { Model } from '../../../../src/testing/model-checker/model.js'

/** Three voters, one term, nothing else. */
export const SMALL: Model = {
  name: 'small',
  description: 'for tests',
  voters: 3,
  start: { type: 'disks', disks: [] },
  maxTerm: 1,
  maxEntries: 0,
  crashes: 0,
  reads: 0,
  preVote: 'assumed',
  disks: 'instant',
  heartbeats: 'lost',
  resends: true,
  appendEntries: 1,
  inflightMessages: 1,
  maxStates: 1_000_000,
}
