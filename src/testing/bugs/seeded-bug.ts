// What a seeded bug is: one decision of the library replaced by a wrong one, so that the simulator can prove that it
// would notice (assurance §5). Nothing in production reaches this folder.
import type { Codec } from '../../interfaces/codec.js'
import type { Internals } from '../../node/internals.js'
import type { ProcessWrappers } from '../process-wrappers.js'
import type { Profile } from '../swarm.js'

export interface SeededBug {
  /** What is done wrong. */
  readonly description: string
  /** The hazards that it is, as `H21` or `H21, H23`. */
  readonly hazard: string
  /** What its hunt is like: of a rare one a bias that has what it takes, so that it takes fewer seeds. @defaultValue 'default' */
  readonly profile?: Profile | undefined
  /** Shared by all nodes of a run; what a node remembers belongs into `wrapCore`, which is called for each of its lives. */
  readonly internals: Internals
  /** Wrong parts that each node is given. */
  readonly wrappers?: ProcessWrappers | undefined
  readonly codec?: Codec<Uint8Array> | undefined
}

/** Bugs by name, in kebab-case, as in `npm run sim -- --bug NAME`. */
export type BugTable = Readonly<Record<string, SeededBug>>
