// What is done to the cluster while clients read and write. Each fault begins with a leader that holds a lease and ends with
// nobody stopped, nothing cut and the timings of the beginning. What a fault waits for makes it likely to hurt, no more: whether
// a read is stale is for the history to say.
import { setTimeout as pause } from 'node:timers/promises'
import { holdsLease, settled, settledWithin, statusOf, TIMINGS } from './cluster.mjs'

const BURST = 20
/** Longer than anything that a fault waits for, where it is to keep its opinion of who leads. */
const PATIENT = Object.freeze({ electionTimeoutMs: 2_000, heartbeatIntervalMs: 60 })
/** Longer than it takes to start processes, on a busy machine too. */
const ENDURING = Object.freeze({ electionTimeoutMs: 5_000, heartbeatIntervalMs: 60 })
const QUICK = Object.freeze({ electionTimeoutMs: 150, heartbeatIntervalMs: 50 })
const SLOW = Object.freeze({ electionTimeoutMs: 600, heartbeatIntervalMs: 200 })
/** How long nobody may be elected where a lease forbids it, with the margin of a slow machine. */
const WITHIN_LEASE_MS = 900

export class Faults {
  counts = { stops: 0, suspends: 0, takeovers: 0, kills: 0, reconfigurations: 0, transfers: 0 }
  #cluster
  #history

  constructor(cluster, history) {
    this.#cluster = cluster
    this.#history = history
  }

  /** All of them once, by name, in the order in which they are done. */
  all() {
    return {
      stopsTheLeader: () => this.#stopsTheLeader(),
      stopsTheLeaderAlone: () => this.#stopsTheLeader({ isCut: true }),
      suspendsTheLeader: () => this.#suspendsTheLeader(),
      stopsAVoter: () => this.#stopsAVoter(),
      stopsForAMoment: () => this.#stopsForAMoment(),
      reconfiguresEachDifferently: () => this.#reconfiguresEachDifferently(),
      reconfiguresInTheWrongOrder: () => this.#reconfiguresInTheWrongOrder(),
      stopsTheLeaderWithinItsLease: () => this.#stopsTheLeaderWithinItsLease(),
      transfers: () => this.#transfers(),
      killsVoters: () => this.#killsVoters(),
    }
  }

  /**
   * Until somebody else leads and has written each key. Where it is cut off it finds on waking nobody who tells it so, but a
   * follower that still believes in it and sends its reads there.
   */
  async #stopsTheLeader({ isCut = false, leader: chosen } = {}) {
    const leader = chosen ?? (await this.#cluster.leaseholder())
    const [believer] = this.#cluster.others(leader, this.#cluster.suspendable)
    const side = isCut ? [leader, believer] : [leader]
    if (isCut) await this.#cluster.reconfigure([believer], PATIENT)
    const early = this.#bursts(side)
    this.#stop(leader)
    const rest = this.#cluster.others(...side)
    if (isCut) await this.#cluster.cut(rest, side)
    const next = await settled(() => this.#cluster.leader(rest))
    await this.#history.writeAll(next)
    this.counts.takeovers += 1
    await this.#wakes({ leader, side, isCut })
    await early
  }

  /** Its monotonic clock says that hardly any time went by. */
  async #suspendsTheLeader() {
    const { suspendable } = this.#cluster
    await settled(async () => {
      const leader = await this.#cluster.leaseholder()
      if (leader === suspendable) return true
      await leader.ask('transfer', { to: suspendable.id, timeoutMs: 1_000 }).catch(() => {})
      return false
    })
    this.counts.suspends += 1
    await this.#stopsTheLeader({ isCut: true, leader: suspendable })
  }

  /** Reads wait for the one that is stopped, and those that it answers on waking were asked for long after its last news. */
  async #stopsAVoter() {
    const leader = await this.#cluster.leaseholder()
    const voter = oneOf(this.#cluster.others(leader))
    const early = this.#bursts([voter])
    this.#stop(voter)
    const endsAt = performance.now() + 2 * TIMINGS.electionTimeoutMs
    do await this.#history.writeAll(leader)
    while (performance.now() < endsAt)
    const late = this.#bursts([voter])
    voter.sigcont()
    await Promise.all([early, late])
  }

  /** About as long as its lease: whoever wants to lead asks just then. */
  async #stopsForAMoment() {
    for (let times = 0; times < 3; times += 1) {
      const leader = await this.#cluster.leaseholder()
      const early = this.#bursts([leader])
      this.#stop(leader)
      await pause(TIMINGS.electionTimeoutMs * (0.3 + Math.random()))
      const late = this.#bursts([leader])
      leader.sigcont()
      await Promise.all([early, late])
    }
  }

  /** One after the other, so that for a while each has its own; then their leader is stopped. */
  async #reconfiguresEachDifferently() {
    for (const each of this.#cluster.processes) {
      await this.#reconfigure([each], oneOf([QUICK, TIMINGS, SLOW, PATIENT]))
      await this.#moreReads(50)
    }
    const leader = await settledWithin(2_000, () => this.#cluster.leader(this.#cluster.processes, holdsLease))
    if (leader !== null) {
      const burst = this.#bursts(this.#cluster.processes)
      this.#stop(leader)
      await settledWithin(PATIENT.electionTimeoutMs, () => this.#cluster.leader(this.#cluster.others(leader)))
      const late = this.#bursts([leader])
      leader.sigcont()
      await Promise.all([burst, late])
    }
    await this.#cluster.heal()
  }

  /** Timeouts before heartbeats: followers campaign against a leader that lives, and only their promises hold them. */
  async #reconfiguresInTheWrongOrder() {
    await this.#reconfigure(this.#cluster.processes, SLOW)
    const leader = await this.#cluster.leaseholder()
    for (const each of this.#cluster.others(leader)) {
      await this.#reconfigure([each], QUICK)
      await this.#moreReads(50)
    }
    await this.#moreReads(200)
    await this.#reconfigure([leader], QUICK)
    await this.#moreReads(50)
    await this.#cluster.heal()
  }

  /** Its voters would have elected another one long ago by their own timeout, and it awakes with its lease. */
  async #stopsTheLeaderWithinItsLease() {
    const leader = await this.#longLease()
    const rest = this.#cluster.others(leader)
    await this.#reconfigure(rest, QUICK)
    this.#stop(leader)
    await this.#cluster.cut(rest, [leader])
    await this.#writesOfUsurper(rest)
    await this.#wakes({ leader, side: [leader], isCut: true })
  }

  async #transfers() {
    const leader = await this.#cluster.leaseholder()
    const target = oneOf(this.#cluster.others(leader))
    const early = this.#bursts([leader, target])
    const transfer = leader.ask('transfer', { to: target.id, timeoutMs: 1_000 }).catch(() => {})
    const late = this.#bursts([leader, target])
    await Promise.all([transfer, early, late])
    this.counts.transfers += 1
    await this.#transfersUnheard()
  }

  /** The old leader hears nothing of the new one: its lease ended when it told it to take over. */
  async #transfersUnheard() {
    const leader = await this.#longLease()
    const { currentTerm } = await statusOf(leader)
    const rest = this.#cluster.others(leader)
    await this.#cluster.cut(rest, [leader], currentTerm)
    const asked = leader.ask('transfer', { to: oneOf(rest).id, timeoutMs: 1_000 }).catch(() => {})
    await this.#writesOfUsurper(rest)
    const burst = this.#bursts([leader])
    await settledWithin(WITHIN_LEASE_MS, async () => (await statusOf(leader)).leaseRemainingMs === 0)
    await this.#cluster.heal()
    await Promise.all([asked, burst])
    this.counts.transfers += 1
  }

  /** A majority is killed and comes back with shorter timeouts, while the leader to which it promised time is stopped. */
  async #killsVoters() {
    const leader = await this.#longLease(ENDURING)
    const voters = this.#cluster.others(leader).slice(0, 3)
    const early = this.#bursts(voters)
    this.#stop(leader)
    await Promise.all(voters.map((each) => each.kill()))
    this.counts.kills += voters.length
    await Promise.all(voters.map((each) => this.#cluster.restart(each, QUICK)))
    const rest = this.#cluster.others(leader)
    await this.#cluster.cut(rest, [leader])
    await this.#writesOfUsurper(voters)
    await this.#wakes({ leader, side: [leader], isCut: true })
    await early
  }

  /** A leader whose voters have promised it more time than a fault of this kind takes. */
  async #longLease(timings = PATIENT) {
    const holdsMost = ({ leaseRemainingMs }) => leaseRemainingMs > 0.8 * timings.electionTimeoutMs
    await this.#reconfigure(this.#cluster.processes, timings)
    return await settled(() => this.#cluster.leader(this.#cluster.processes, holdsMost))
  }

  /** If there is somebody who leads although another one holds a lease, it writes each key: then the lease lies. */
  async #writesOfUsurper(among) {
    const usurper = await settledWithin(WITHIN_LEASE_MS, () => this.#cluster.leader(among))
    const endsAt = performance.now() + WITHIN_LEASE_MS
    if (usurper !== null) await this.#history.writeAll(usurper, () => performance.now() > endsAt)
  }

  /** Reads wait for it when it awakes, and come from its follower, if it has one on its side; then it hears of the others. */
  async #wakes({ leader, side, isCut }) {
    const late = this.#bursts(side)
    // A call to a process that runs ends when those before it were sent on to the leader.
    await Promise.all(side.filter(({ isStopped }) => !isStopped).map((each) => each.ask('status')))
    leader.sigcont()
    if (isCut) await settledWithin(WITHIN_LEASE_MS, async () => (await statusOf(leader)).role !== 'leader')
    await this.#cluster.heal()
    await late
  }

  async #reconfigure(processes, timings) {
    this.counts.reconfigurations += processes.length
    await this.#cluster.reconfigure(processes, timings)
  }

  async #moreReads(count) {
    const until = this.#history.counts.reads + count
    await settledWithin(1_000, () => this.#history.counts.reads >= until)
  }

  #bursts(processes) {
    return Promise.all(processes.map((each) => this.#history.burst(each, BURST)))
  }

  #stop(process) {
    process.sigstop()
    this.counts.stops += 1
  }
}

function oneOf(list) {
  return list[Math.floor(Math.random() * list.length)]
}
