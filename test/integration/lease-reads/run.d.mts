/** What became of a run. */
export interface LeaseRun {
  readonly seconds: number
  /** Answered, of any consistency. */
  readonly reads: number
  /** Of which for certain by the lease of the node that was asked, without a round. */
  readonly leaseReads: number
  /** Of which with consistency `lease`, on a node that did not lead. */
  readonly followerReads: number
  /** Of which `local`, with a `maxStalenessMs`. */
  readonly localReads: number
  readonly writes: number
  readonly unknownWrites: number
  readonly stops: number
  readonly suspends: number
  /** Leaders that found on waking that somebody else had led and written. */
  readonly takeovers: number
  readonly kills: number
  readonly reconfigurations: number
  readonly transfers: number
  /** Calls that never ended. */
  readonly unsettled: number
  /** What calls failed with, and how often. */
  readonly codes: Readonly<Record<string, number>>
  readonly verdict: 'ok' | 'illegal' | 'undecided'
  /** The operations that no order explains. */
  readonly text: string | null
}

export function run(options: {
  readonly directory: string
  readonly seconds: number
  readonly onFault?: (
    progress: Pick<LeaseRun, 'seconds' | 'reads' | 'leaseReads' | 'writes'> & { readonly name: string },
  ) => void
}): Promise<LeaseRun>
