// Three processes of the counter, killed and started again, and clients that increment through sessions meanwhile: each
// repeats its number on any node until it is told that it was counted.
import { fork } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./node.mjs', import.meta.url))
const IDS = ['a', 'b', 'c']

class Process {
  constructor(id, directory) {
    Object.assign(this, { id, directory: join(directory, id), address: '127.0.0.1:0', calls: new Map(), lastCall: 0 })
  }

  async start(bootstrap) {
    this.child = fork(PROGRAM, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.isUp = false
    this.child.on('message', ({ call, value, error }) => {
      const waiting = this.calls.get(call)
      this.calls.delete(call)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(Object.assign(new Error(error.message), error))
    })
    this.child.on('exit', () => {
      this.isUp = false
      for (const { reject } of this.calls.values()) reject(new Error('the process was killed'))
      this.calls.clear()
    })
    this.address = await this.ask('listen', { listen: this.address })
    if (bootstrap !== undefined) await this.run(bootstrap)
  }

  async run(bootstrap) {
    await this.ask('start', { id: this.id, directory: this.directory, bootstrap, flight: this.flight })
    this.isUp = true
  }

  ask(type, args = {}) {
    return new Promise((resolve, reject) => {
      this.lastCall += 1
      this.calls.set(this.lastCall, { resolve, reject })
      this.child.send({ call: this.lastCall, type, ...args }, (error) => error && reject(error))
    })
  }

  async kill() {
    this.isUp = false
    const exit = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await exit
  }
}

class Client {
  acknowledged = 0
  attempts = 0
  opened = new WeakMap()
  openedAt = 0

  constructor(id, processes) {
    Object.assign(this, { id, processes })
  }

  /** Until `isOver`, and then until its last number is known to be counted. */
  async work(isOver) {
    while (!isOver()) {
      const sequence = this.acknowledged + 1
      while (!(await this.#attempt(sequence)));
      this.acknowledged = sequence
    }
  }

  async #attempt(sequence) {
    const up = this.processes.filter(({ isUp }) => isUp)
    const process = up[Math.floor(Math.random() * up.length)]
    if (process === undefined) return await pause(20, false)
    this.attempts += 1
    const { child } = process
    try {
      if (!this.opened.has(child)) {
        const { id, openedAt } = this
        this.openedAt = await process.ask('open', { id, openedAt, timeoutMs: 2_000 })
        this.opened.set(child, true)
      }
      await process.ask('increment', { id: this.id, sequence, timeoutMs: 300 })
      return true
    } catch (error) {
      if (error.code === 'RAFT_SESSION_EXPIRED') throw error
      return await pause(10, false)
    }
  }
}

/**
 * Runs for so long, with the leader killed every `killMs`. Gives the increments that were acknowledged, the attempts that they
 * took, the leaders that were killed, and the value of the counter on each node at the end.
 */
export async function run({ directory, seconds, clients: count = 8, killMs = 2_000, flights, onProgress = () => {} }) {
  const processes = IDS.map((id) => new Process(id, directory))
  if (flights !== undefined) for (const each of processes) each.flight = join(flights, `${each.id}.flight`)
  try {
    await Promise.all(processes.map((each) => each.start()))
    const bootstrap = processes.map(({ id, address }) => ({ id, address }))
    await Promise.all(processes.map((each) => each.run(bootstrap)))
    const clients = Array.from({ length: count }, (_, at) => new Client(`client-${at}`, processes))
    const endsAt = Date.now() + 1_000 * seconds
    const work = clients.map((client) => client.work(() => Date.now() >= endsAt))
    let kills = 0
    while (Date.now() < endsAt - killMs) {
      await pause(killMs)
      const leader = await leaderOf(processes)
      if (leader === undefined) continue
      await leader.kill()
      kills += 1
      await leader.start(bootstrap)
      onProgress({ kills, acknowledged: sum(clients, 'acknowledged') })
    }
    await Promise.all(work)
    const values = await Promise.all(processes.map((each) => each.ask('value')))
    await Promise.all(processes.map((each) => each.ask('stop')))
    return { acknowledged: sum(clients, 'acknowledged'), attempts: sum(clients, 'attempts'), kills, values }
  } finally {
    for (const { child } of processes) child?.kill('SIGKILL')
  }
}

async function leaderOf(processes) {
  for (const each of processes) {
    if (!each.isUp) continue
    const { role } = await each.ask('status').catch(() => ({ role: 'gone' }))
    if (role === 'leader') return each
  }
  return undefined
}

function sum(list, name) {
  return list.reduce((total, each) => total + each[name], 0)
}
