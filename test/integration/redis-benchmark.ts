// Runs of the real redis-benchmark, one after the other, each counting on a key of its own: a run that ends well had an
// answer to each of its INCRs, and its key must hold exactly that many. It ends at the first error; then it may hold less.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** INCRs of one run. */
export const RUN_COUNT = 100
const CLIENTS = 8

export function hasRedisBenchmark(): boolean {
  return spawnSync('redis-benchmark', ['--version']).status === 0
}

/** One end of the program. */
export interface BenchmarkRun {
  readonly key: string
  /** What it said of the error that ended it; null after all of its INCRs were acknowledged. */
  readonly error: string | null
}

/** Programs that run, and those who would start another one. */
const running = new Set<ChildProcess>()
const open = new Set<RedisBenchmarks>()

/** For afterEach. */
export async function endBenchmarks(): Promise<void> {
  const ends = [...open].map((benchmarks) => benchmarks.end())
  for (const child of running) child.kill('SIGKILL')
  await Promise.allSettled(ends)
}

/** The program against one port each, started again whenever it ends, until `end`. */
export class RedisBenchmarks {
  readonly runs: BenchmarkRun[] = []
  #isOver = false
  readonly #waiting = new Set<() => void>()
  readonly #loops: Promise<unknown>

  constructor(ports: readonly number[]) {
    this.#loops = Promise.all(ports.map((port) => this.#loop(port)))
    // Whoever waits is told by `end`.
    this.#loops.catch(() => undefined)
    open.add(this)
  }

  get completed(): readonly BenchmarkRun[] {
    return this.runs.filter(({ error }) => error === null)
  }

  get brokenOff(): readonly BenchmarkRun[] {
    return this.runs.filter(({ error }) => error !== null)
  }

  /** Resolves when that many more have ended well. */
  async more(count: number): Promise<void> {
    const target = this.completed.length + count
    while (this.completed.length < target) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  /** Lets those end that run. */
  async end(): Promise<void> {
    this.#isOver = true
    open.delete(this)
    await this.#loops
  }

  async #loop(port: number): Promise<void> {
    for (let run = 1; !this.#isOver; run++) {
      this.runs.push(await runOnce(port, `benchmark:${port}:${run}`))
      for (const resolve of this.#waiting) resolve()
      this.#waiting.clear()
    }
  }
}

async function runOnce(port: number, key: string): Promise<BenchmarkRun> {
  const size = ['-c', String(CLIENTS), '-P', '1', '-n', String(RUN_COUNT), '-q']
  const child = spawn('redis-benchmark', ['-p', String(port), ...size, 'INCR', key], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  running.delete(child)
  if (code === 0 && /requests per second/.test(output) && !/error/i.test(output)) return { key, error: null }
  return { key, error: /error.*/i.exec(output)?.[0] ?? `code ${code}, signal ${signal}: ${output}` }
}
