// `modelCheck`: every state of a small cluster of real cores, breadth-first. Synchronous; takes as long as it takes.
import { guardNamed, removedGuardNames } from './removed-guards.js'
import { MAX_NODES, type Model } from './model.js'
import { Search, type SearchResult } from './search.js'

/** What a search may look at beside elections and replication. */
export type ModelCheckFeature = 'preVote' | 'membership' | 'snapshot' | 'readIndex' | 'lease' | 'transfer'

const FEATURES: readonly string[] = [
  'preVote',
  'membership',
  'snapshot',
  'readIndex',
  'lease',
  'transfer',
] satisfies readonly ModelCheckFeature[]

export interface ModelCheckOptions {
  /** 1 to 5. */
  voters: number
  /** No election for a later term begins. */
  maxTerm: number
  /** A leader takes no command when its log is this long; the no-op that opens each term comes on top. */
  maxEntries: number
  /** Crashes in one run, over all nodes; with any, writes take time and may be lost. @defaultValue 0 */
  crashes?: number | undefined
  /**
   * `preVote`: its messages travel and stickiness holds; without it every pre-vote is granted. `readIndex`: one read on any
   * node, and the heartbeats of its round. `membership`: one change, in which one voter leaves, or all but one do, which
   * takes joint consensus. `snapshot`: any node takes one, at any time, and compacts its log. `transfer`: any leader hands over to anybody, and gives that up.
   * `lease`: voters promise their leader time, two steps of half a promise pass on all clocks, and whoever has a lease is asked to
   * read at any moment; with `readIndex`, that read is by lease where there is one. @defaultValue none
   */
  features?: readonly ModelCheckFeature[] | undefined
  /** A guard to remove, by its name in `npm run modelcheck -- --help`; or a seeded bug that replaces a rule of the core. */
  bug?: string | undefined
  /** Most states to look at. @defaultValue 5,000,000 */
  maxStates?: number | undefined
}

const DEFAULT_MAX_STATES = 5_000_000
/** As long as a lease: one that was given in the beginning is over in the end. */
const LEASE_STEPS = 2

/**
 * Looks at every state within the bounds. The violation is that of a shortest run.
 * @throws RangeError for bounds that no search can have, an unknown feature, or an unknown bug
 */
export function modelCheck(options: ModelCheckOptions): SearchResult {
  const { bug } = options
  const guard = bug === undefined ? null : guardNamed(bug)
  if (bug !== undefined && guard === null) {
    throw new RangeError(`bug is '${bug}': known are ${removedGuardNames().join(', ')}`)
  }
  return new Search(modelOf(options), { guard }).run()
}

function modelOf(options: ModelCheckOptions): Model {
  const { voters, maxTerm, maxEntries, crashes = 0, features = [], maxStates = DEFAULT_MAX_STATES } = options
  requireCount('voters', voters, { least: 1, most: MAX_NODES })
  requireCount('maxTerm', maxTerm, { least: 1, most: 9 })
  requireCount('maxEntries', maxEntries, { least: 0, most: 9 })
  requireCount('crashes', crashes, { least: 0, most: 9 })
  requireCount('maxStates', maxStates, { least: 1, most: 2 ** 30 })
  const unknown = features.find((feature) => !FEATURES.includes(feature))
  if (unknown !== undefined) throw new RangeError(`features has '${unknown}': known are ${FEATURES.join(', ')}`)
  const leases = features.includes('lease') ? LEASE_STEPS : 0
  const reads = features.includes('readIndex') ? 1 : 0
  return {
    name: 'modelCheck',
    description: 'bounds of the caller',
    voters,
    maxTerm,
    maxEntries,
    crashes,
    wipes: false,
    reads,
    leases,
    learners: 0,
    lastTermReplicates: true,
    changes: features.includes('membership') ? smallerMemberships(voters) : [],
    maxChanges: features.includes('membership') ? 1 : 0,
    transfers: features.includes('transfer'),
    snapshotters: features.includes('snapshot') ? Array.from({ length: voters }, (_, node) => node) : [],
    candidates: null,
    preVote: features.includes('preVote') ? 'real' : 'assumed',
    disks: crashes > 0 ? 'slow' : 'instant',
    heartbeats: reads > 0 ? 'any' : leases > 0 ? 'beforeLastTerm' : 'lost',
    start: { type: 'disks', disks: [] },
    resends: true,
    appendEntries: 1,
    inflightMessages: 1,
    maxStates,
  }
}

/** Without one voter, and of one voter alone. */
function smallerMemberships(voters: number): readonly (readonly number[])[] {
  const all = Array.from({ length: voters }, (_, node) => node)
  const alone = all.map((node) => [node])
  return voters < 3 ? alone : [...alone, ...all.map((gone) => all.filter((node) => node !== gone))]
}

function requireCount(name: string, value: number, { least, most }: { least: number; most: number }): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} is ${value}: use a whole number from ${least} to ${most}`)
}
