// One thing only is wrong: the leader's disk is slow. The others commit without it, and nobody's result may get lost on the
// way: a call succeeds or is refused, and none has an unknown end (F16, H116).
import type { StateMachine } from '../interfaces/state-machine.js'
import type { Caller, CallerAction } from './caller.js'
import type { Cluster } from './cluster.js'
import type { CallRecord } from './history.js'
import { canGoOn, isMember } from './quorum-view.js'
import { CALM_DISK } from './virtual-disk.js'

/** Writes of each node, one after the other. */
const WRITES_PER_NODE = 3

/** Client number of these calls. */
const SLOW_LEADER_CLIENT = -2

export interface SlowLeaderOptions<Command, Result, SM extends StateMachine<Command, Result>> {
  readonly cluster: Cluster<Command, Result, SM>
  readonly caller: Caller<Command, Result, SM>
  readonly electionTimeoutMs: number
  readonly nextCommand: () => Command
}

/** Fails the run when a call has an unknown end although leadership did not move. Expects that everything is healed. */
export async function expectResultsOfSlowLeader<Command, Result, SM extends StateMachine<Command, Result>>(
  options: SlowLeaderOptions<Command, Result, SM>,
): Promise<void> {
  const { cluster, electionTimeoutMs } = options
  const { invariants, leader } = cluster
  if (invariants.violation !== null || leader === null) return
  // Where a disk was lost for good the leader's may be needed for each majority.
  const { soundIds, ids } = cluster
  const others = soundIds.filter((id) => id !== leader.id)
  if (soundIds.length < ids.length && !canGoOn(cluster, others)) return
  const changes = invariants.leaderChanges
  leader.disk.speed = { ...CALM_DISK, writeMs: [electionTimeoutMs / 50, electionTimeoutMs / 10] }
  const records: CallRecord[] = []
  let open = 0
  for (const process of cluster.processes) {
    const write = (count: number): void => {
      if (count === 0 || !process.isUp) return
      open += 1
      const { caller, nextCommand } = options
      const commands = [nextCommand()]
      const action: CallerAction<Command, SM> = { type: 'propose', commands, asMany: false, input: 'slowLeader' }
      caller.call({ process, client: SLOW_LEADER_CLIENT, action, timeoutMs: 3 * electionTimeoutMs }, (record) => {
        open -= 1
        records.push(record)
        write(count - 1)
      })
    }
    if (isMember(cluster, process.id)) write(WRITES_PER_NODE)
  }
  await cluster.run(cluster.nowMs + 4 * WRITES_PER_NODE * electionTimeoutMs, () => open === 0)
  leader.disk.speed = CALM_DISK
  // Late messages of the time before may have moved the leadership: then an end may be unknown.
  if (invariants.leaderChanges !== changes || cluster.leader !== leader) return
  // A node whose disk turns out to be rotten stops, and says so; whether it may is another check's.
  const failed = records.find(({ outcome, errorCode }) => outcome === 'unknown' && errorCode !== 'RAFT_STOPPED')
  if (failed === undefined) return
  const { number, node, errorCode } = failed
  const problem = `call ${number} on ${node} has an unknown end (${errorCode}), though only the disk of the leader is slow`
  invariants.fail('known-outcome', `${problem} (H116)`)
}
