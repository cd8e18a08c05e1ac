// Five processes and who leads them. Every wait is for a condition; one with a bound says whether it came true.
import { setTimeout as pause } from 'node:timers/promises'
import { NodeProcess } from './process.mjs'

const POLL_MS = 5

/** Of every node when a fault begins. */
export const TIMINGS = Object.freeze({ electionTimeoutMs: 300, heartbeatIntervalMs: 60 })

export class Cluster {
  /** Of these the last has a monotonic clock that doesn't count how long it was suspended. */
  processes

  constructor(directory) {
    this.processes = ['a', 'b', 'c', 'd', 'e'].map(
      (id) => new NodeProcess({ id, directory, isSuspendable: id === 'e' }),
    )
  }

  get suspendable() {
    return this.processes.find(({ isSuspendable }) => isSuspendable)
  }

  async start() {
    await Promise.all(this.processes.map((each) => each.listen()))
    this.bootstrap = this.processes.map(({ id, address }) => ({ id, address }))
    await Promise.all(this.processes.map((each) => each.run({ bootstrap: this.bootstrap, timings: TIMINGS })))
  }

  /** Started again after a kill, with these timings in its options. */
  async restart(process, timings) {
    await process.listen()
    await process.run({ bootstrap: this.bootstrap, timings })
  }

  others(...processes) {
    return this.processes.filter((each) => !processes.includes(each))
  }

  /** Whoever leads the newest term of those that answer; undefined for nobody. */
  async leader(among = this.processes, isLeader = () => true) {
    const asked = among.filter(({ isUp, isStopped }) => isUp && !isStopped)
    const answers = await Promise.all(asked.map((process) => statusOf(process)))
    const newest = Math.max(...answers.map(({ currentTerm }) => currentTerm))
    const isIt = (status) => status.role === 'leader' && status.currentTerm === newest && isLeader(status)
    return answers.find(isIt)?.process
  }

  /** The leader, when it answers reads without a round. */
  async leaseholder() {
    return await settled(() => this.leader(this.processes, holdsLease))
  }

  async reconfigure(processes, timings) {
    await Promise.all(processes.map((each) => each.ask('reconfigure', { timings })))
  }

  /** Nothing of a term above that passes between the two sides; told to the one side only, because the other may be stopped. */
  async cut(side, from, aboveTerm = -1) {
    await Promise.all(side.map((each) => each.ask('cut', { peers: from.map(({ id }) => id), aboveTerm })))
  }

  async heal() {
    for (const each of this.processes) if (each.isStopped) each.sigcont()
    await this.cut(this.processes, [])
    await this.reconfigure(this.processes, TIMINGS)
  }

  end() {
    for (const each of this.processes) each.end()
  }
}

/** Asks until there is an answer: anything but undefined or false. */
export async function settled(ask) {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await pause(POLL_MS)
  }
}

/** Asks until there is an answer or the time is over, which is null then. */
export async function settledWithin(limitMs, ask) {
  const endsAt = performance.now() + limitMs
  return await settled(async () => (await ask()) || (performance.now() >= endsAt ? null : undefined))
}

/** Also of one that was killed. */
export async function statusOf(process) {
  const gone = { role: 'gone', currentTerm: 0, leaseRemainingMs: 0 }
  return { process, ...(await process.ask('status').catch(() => gone)) }
}

/** Of a status. */
export function holdsLease({ leaseRemainingMs }) {
  return leaseRemainingMs > 0
}
