// The models of `npm run modelcheck`. Each is exhausted; those of the deep tier take longer than a push should wait.
import type { Model, Start, StartDisk } from './model.js'

/** What most models have. */
export const COMMON: Omit<Model, 'name' | 'description'> = {
  voters: 3,
  learners: 0,
  maxTerm: 2,
  lastTermReplicates: true,
  maxEntries: 0,
  crashes: 0,
  wipes: false,
  reads: 0,
  leases: 0,
  changes: [],
  maxChanges: 0,
  transfers: false,
  snapshotters: [],
  candidates: null,
  preVote: 'assumed',
  disks: 'instant',
  heartbeats: 'lost',
  start: { type: 'disks', disks: [] },
  resends: true,
  appendEntries: 1,
  inflightMessages: 1,
  maxStates: 30_000_000,
}

/** A leader asks for promises until it is replaced; nobody replaces whoever is elected then. */
const LEASED = { ...COMMON, start: { type: 'led' }, heartbeats: 'beforeLastTerm', leases: 2, resends: false } as const

/** Figure 8 (c): a led term 1, c led term 2, and neither reached anybody with its entry. */
const FIGURE_8: readonly StartDisk[] = [
  { hardState: { currentTerm: 1, votedFor: 'a' }, terms: [1] },
  { hardState: { currentTerm: 2, votedFor: 'c' }, terms: [] },
  { hardState: { currentTerm: 2, votedFor: 'c' }, terms: [2] },
]

/** As figure 7, smaller: the entry of term 1 is everywhere, and two nodes hold different entries behind it. */
const FIGURE_7: readonly StartDisk[] = [
  { hardState: { currentTerm: 1, votedFor: 'a' }, terms: [1, 1] },
  { hardState: { currentTerm: 2, votedFor: 'b' }, terms: [1, 2] },
  { hardState: { currentTerm: 2, votedFor: 'b' }, terms: [1] },
]

/** a took a command that reached nobody. */
const LEFT_BEHIND: readonly StartDisk[] = [
  { hardState: { currentTerm: 1, votedFor: 'a' }, terms: [1, 1] },
  { hardState: { currentTerm: 1, votedFor: 'a' }, terms: [1] },
  { hardState: { currentTerm: 1, votedFor: 'a' }, terms: [1] },
]

const LED: Start = { type: 'led' }

const LED_BY_A: StartDisk = { hardState: { currentTerm: 1, votedFor: 'a' }, terms: [1] }

/** a took d out, which reached nobody, and has tried to be elected since. */
const HALF_REMOVED: readonly StartDisk[] = [
  { hardState: { currentTerm: 2, votedFor: 'a' }, terms: [1, 1], configurations: [{ index: 2, voters: [0, 1, 2] }] },
  LED_BY_A,
  LED_BY_A,
  LED_BY_A,
]

/** c led term 2, and neither it nor a reached anybody with its entries. */
const DIVERGED: readonly StartDisk[] = [
  { hardState: { currentTerm: 2, votedFor: 'a' }, terms: [1] },
  { hardState: { currentTerm: 2, votedFor: 'c' }, terms: [] },
  { hardState: { currentTerm: 2, votedFor: 'c' }, terms: [2, 2] },
]

/** Looked at on each push; those that take longest come first. */
export const MODELS: readonly Model[] = [
  {
    ...COMMON,
    name: 'figure-8',
    description: 'from figure 8 (c): entries of earlier terms',
    start: { type: 'disks', disks: FIGURE_8 },
    maxTerm: 4,
  },
  {
    ...COMMON,
    name: 'replication',
    description: 'logs that differ, slow disks and a crash: truncation, overlapping writes, late completions',
    start: { type: 'disks', disks: FIGURE_7 },
    maxTerm: 3,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'pre-vote',
    description: 'PreVote, CheckQuorum and stickiness, with links that work one way or not at all',
    start: LED,
    preVote: 'real',
    heartbeats: 'any',
  },
  {
    ...COMMON,
    name: 'read-index',
    description: 'a read on any node while the leader changes and answers come late',
    start: LED,
    reads: 1,
    heartbeats: 'any',
    resends: false,
  },
  {
    ...COMMON,
    name: 'catch-up',
    description: 'an entry that nobody else has, and heartbeats that overtake what replaces it',
    start: { type: 'disks', disks: LEFT_BEHIND },
    heartbeats: 'any',
  },
  {
    ...COMMON,
    name: 'elections',
    description: 'the first election, slow disks and two crashes: votes and terms survive what they promised',
    maxTerm: 1,
    maxEntries: 2,
    crashes: 2,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'joint',
    description: 'from two voters to two others by joint consensus, slow disks and a crash',
    voters: 2,
    learners: 2,
    start: LED,
    changes: [[2, 3]],
    maxChanges: 1,
    candidates: [1],
    lastTermReplicates: false,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'joint-to-one',
    description: 'from three voters to one by joint consensus, slow disks and a crash',
    start: LED,
    changes: [[0]],
    maxChanges: 1,
    lastTermReplicates: false,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'single-change',
    description: 'two leaders, and each takes another one of four voters out (raft-dev 2015)',
    voters: 4,
    start: { type: 'disks', disks: HALF_REMOVED },
    changes: [[1, 2, 3]],
    maxChanges: 1,
    maxTerm: 3,
    candidates: [0, 2],
    lastTermReplicates: false,
  },
  {
    ...COMMON,
    name: 'changes-in-a-row',
    description: 'three voters, of which one after the other leaves, or comes back',
    start: LED,
    changes: [[0, 1], [0, 2], [0]],
    maxChanges: 2,
    lastTermReplicates: false,
  },
  {
    ...COMMON,
    name: 'transfer',
    description: 'a leader hands over to anybody, and gives that up, while TimeoutNow comes late or twice',
    start: LED,
    transfers: true,
    preVote: 'real',
  },
  {
    ...COMMON,
    name: 'transfer-slow',
    description: 'the same with a command, slow disks and a crash',
    start: LED,
    transfers: true,
    maxEntries: 2,
    lastTermReplicates: false,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'snapshot',
    description: 'a leader that compacts sends its snapshot to those that are behind, while entries are on their way',
    start: { type: 'disks', disks: DIVERGED },
    maxTerm: 3,
    maxEntries: 3,
    snapshotters: [0],
    candidates: [0],
    appendEntries: 3,
  },
  {
    ...COMMON,
    name: 'snapshot-crash',
    description:
      'the same without the command, with slow disks and a crash, also between a snapshot and the reset of the log',
    start: { type: 'disks', disks: DIVERGED },
    maxTerm: 3,
    snapshotters: [0, 1, 2],
    candidates: [0],
    appendEntries: 3,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...LEASED,
    name: 'lease',
    description: 'promises are given, answered late and over, while anybody campaigns and whoever has a lease reads',
  },
  {
    ...LEASED,
    name: 'lease-slow',
    description: 'one campaigns, with slow disks and a crash: a promise binds the next life too',
    candidates: [1],
    crashes: 1,
    disks: 'slow',
  },
  {
    ...LEASED,
    name: 'lease-transfer',
    description: 'a leader with a lease hands over, while halves of leases are left',
    candidates: [1],
    transfers: true,
    leases: 1,
  },
  {
    ...COMMON,
    name: 'founding',
    description: 'one of three founds the cluster, and a node crashes at any moment',
    start: { type: 'unfounded' },
    candidates: [0],
    crashes: 1,
  },
  {
    ...COMMON,
    name: 'lost-disk',
    description: 'a member loses its disk with what it acknowledged, and another one campaigns',
    start: LED,
    maxEntries: 2,
    crashes: 1,
    wipes: true,
  },
  { ...COMMON, name: 'four-voters', description: 'two halves, none of which is a majority', voters: 4, start: LED },
  {
    ...COMMON,
    name: 'two-voters',
    description: 'everybody is needed for everything',
    voters: 2,
    maxEntries: 1,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'one-voter',
    description: 'a cluster of one, whose own disk is every majority',
    voters: 1,
    maxTerm: 3,
    maxEntries: 3,
    crashes: 2,
    reads: 2,
    disks: 'slow',
    heartbeats: 'any',
  },
]

/** With `--deep`, after the others. */
export const DEEP_MODELS: readonly Model[] = [
  {
    ...COMMON,
    name: 'replication-slow',
    description: 'two elections from nothing, a command, slow disks and a crash',
    maxEntries: 1,
    crashes: 1,
    disks: 'slow',
  },
  {
    ...COMMON,
    name: 'read-index-commands',
    description: 'a read on any node and two elections from nothing',
    maxEntries: 1,
    reads: 1,
    heartbeats: 'any',
  },
]

/** The model of that name, of either tier. */
export function findModel(name: string): Model | undefined {
  return [...MODELS, ...DEEP_MODELS].find((model) => model.name === name)
}
