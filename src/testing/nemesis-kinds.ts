// The kinds of harm that a run may draw, and how often they come. What each does is in `nemesis.ts`.

/** Every kind of harm that a run may have. */
export const NEMESIS_KINDS = [
  'crash',
  'crashLeader',
  'crashAtEffect',
  'crashCandidate',
  'crashNewLeader',
  'crashAll',
  'crashLoop',
  'stop',
  'isolateLeader',
  'deafLeader',
  'strandLeader',
  'strandWrites',
  'strandCandidate',
  'sleepingMinority',
  'partition',
  'bridge',
  'ring',
  'cut',
  'clog',
  'pause',
  'pauseLeader',
  'clockRate',
  'slowDisk',
  'failWrite',
  'fullDisk',
  'hangDisk',
  'rotDisk',
  'reset',
  'stranger',
] as const

/** What stands beside the kinds of all runs belongs to runs of its own: what it does would hide what others do. */
export type NemesisKind =
  | (typeof NEMESIS_KINDS)[number]
  | 'transfer'
  | 'snapshot'
  | 'crashRotten'
  | 'crashStarting'
  | 'wipeDisk'
  | 'suspend'
  | 'suspendLeader'
  | MembershipHarm

/** Changes of the membership. `readd`: a member is removed and added again. */
export type MembershipHarm = 'add' | 'remove' | 'promote' | 'demote' | 'replace' | 'removeLeader' | 'readd'

export interface NemesisSettings {
  /** Kinds of this run; one is picked each time, so a kind that stands twice is twice as likely. */
  readonly kinds: readonly NemesisKind[]
  /** Time between two faults, ms. */
  readonly intervalMs: readonly [min: number, max: number]
  /** How long what can be undone lasts, ms: downtime, partitions, pauses. */
  readonly durationMs: readonly [min: number, max: number]
}

/** What is done to one node, whichever. */
export type HarmToOne = Extract<
  NemesisKind,
  | 'crashAtEffect'
  | 'crashStarting'
  | 'wipeDisk'
  | 'pause'
  | 'suspend'
  | 'clockRate'
  | 'slowDisk'
  | 'failWrite'
  | 'fullDisk'
  | 'hangDisk'
  | 'rotDisk'
  | 'stranger'
  | 'snapshot'
>
