/** What became of a run. */
export interface KillRun {
  readonly acknowledged: number
  readonly attempts: number
  readonly kills: number
  readonly values: readonly number[]
}

export function run(options: {
  readonly directory: string
  readonly seconds: number
  readonly clients?: number
  readonly killMs?: number
  /** Directory in which each node keeps a flight recording. */
  readonly flights?: string
  readonly onProgress?: (progress: { readonly kills: number; readonly acknowledged: number }) => void
}): Promise<KillRun>
