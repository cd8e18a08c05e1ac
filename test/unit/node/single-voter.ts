// A cluster of one over stores and a network that a test holds in its hand.
import { MemorySnapshotStore, RaftNode, type RaftNodeOptions } from 'helios-raft'
import { founded } from '../../support/founded.js'
import { Adder, ManualClock, TestLogStore, TestNetwork } from './harness.js'

/** One node of one, whose parts a test can spoil. */
export function single(changes: Partial<RaftNodeOptions<Uint8Array, number>> = {}) {
  const clock = new ManualClock()
  const network = new TestNetwork(clock)
  const logStore = new TestLogStore()
  const transport = network.transport('a')
  const stateMachine = new Adder()
  const options: RaftNodeOptions<Uint8Array, number> = {
    id: 'a',
    bootstrap: [{ id: 'a', address: 'a:1' }],
    ...('bootstrap' in changes ? {} : founded('a')),
    logStore,
    snapshotStore: new MemorySnapshotStore(),
    transport,
    stateMachine,
    codec: { encode: (value) => value, decode: (data) => data.slice() },
    clock,
    seed: 1,
    ...changes,
  }
  return { clock, network, logStore, transport, stateMachine, node: new RaftNode(options) }
}
