// A helios-atlasd in a process of its own, for the programs that run a whole cluster. It ends with its parent, however
// that ends: the channel between them closes, and the child shuts down.
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** How long a node may take to shut down before it is killed. */
const GRACE_MS = 6_000

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface NodeProcessOptions {
  readonly args: readonly string[]
  /** Each line of its standard output and error. */
  readonly onLine: (line: string) => void
}

export class NodeProcess {
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #hasExited = false

  constructor({ args, onLine }: NodeProcessOptions) {
    const program = fileURLToPath(new URL('../main.js', import.meta.url))
    this.#child = fork(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] })
    this.exited = new Promise((resolve) => {
      const done = (exit: Exit): void => {
        this.#hasExited = true
        resolve(exit)
      }
      this.#child.once('exit', (code, signal) => done({ code, signal }))
      this.#child.once('error', (error) => {
        onLine(error.message)
        done({ code: 1, signal: null })
      })
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', onLine)
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  /** At once, as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  /** Lets it shut down: by the channel and not by a signal, because a terminal may have sent one already. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS)
    await this.exited
    clearTimeout(timer)
  }
}
