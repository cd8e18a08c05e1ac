// A node in a process of its own, as its parent sees it: asked by IPC, stopped and continued, killed and started again.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./node.mjs', import.meta.url))

export class NodeProcess {
  address = '127.0.0.1:0'
  /** Answers calls: started, and not killed. It may be stopped. */
  isUp = false
  isStopped = false
  #child
  #calls = new Map()
  #lastCall = 0

  constructor({ id, directory, isSuspendable }) {
    Object.assign(this, { id, directory: join(directory, id), isSuspendable })
  }

  get pendingCalls() {
    return this.#calls.size
  }

  async listen() {
    this.#child = fork(PROGRAM, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const calls = new Map()
    this.#calls = calls
    this.#child.on('message', ({ call, value, error }) => {
      const { resolve, reject } = calls.get(call)
      calls.delete(call)
      if (error === undefined) resolve(value)
      else reject(Object.assign(new Error(error.message), error))
    })
    this.#child.on('exit', () => {
      this.isUp = false
      for (const { reject } of calls.values()) reject(gone())
      calls.clear()
    })
    this.address = await this.ask('listen', { listen: this.address })
  }

  async run({ bootstrap, timings }) {
    const { id, directory, isSuspendable } = this
    await this.ask('start', { id, directory, bootstrap, timings, isSuspendable })
    this.isUp = true
  }

  ask(type, args = {}) {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(gone())
      this.#lastCall += 1
      this.#calls.set(this.#lastCall, { resolve, reject })
      this.#child.send({ call: this.#lastCall, type, ...args }, (error) => error && reject(gone()))
    })
  }

  /** From here on it does nothing; what is asked waits. */
  sigstop() {
    this.isStopped = true
    this.#child.kill('SIGSTOP')
  }

  sigcont() {
    this.isStopped = false
    this.#child.kill('SIGCONT')
  }

  async kill() {
    this.isUp = false
    const exit = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exit
  }

  /** For good, in whatever state it is. */
  end() {
    this.#child?.kill('SIGKILL')
  }
}

/** Nobody knows what became of the call. */
function gone() {
  return Object.assign(new Error('the process was killed'), { code: 'KILLED', outcome: 'unknown' })
}
