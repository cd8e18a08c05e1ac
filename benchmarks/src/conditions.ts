// Where and on what a figure was measured: a figure without it means nothing.
import { spawnSync } from 'node:child_process'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'

export interface Conditions {
  readonly date: string
  /** Of the measured source; `+` behind it when the working tree differs; `unknown` outside a repository. */
  readonly commit: string
  readonly node: string
  readonly machine: string
}

export function conditions(): Conditions {
  const gib = Math.round(totalmem() / 2 ** 30)
  const cpu = cpus()[0]?.model.trim() ?? 'unknown processor'
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    node: process.version,
    machine: `${availableParallelism()} × ${cpu}, ${gib} GiB, ${platform()} ${release()} ${arch()}`,
  }
}

function commit(): string {
  const head = git('rev-parse', '--short', 'HEAD')
  if (head === null) return 'unknown'
  return git('status', '--porcelain', '--untracked-files=no', '--', 'src') === '' ? head : `${head}+`
}

function git(...args: readonly string[]): string | null {
  const { status, stdout } = spawnSync('git', [...args], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}
