// Two clients and one lock. The first one falls asleep while it holds the lock, the second gets it, and the late write of the
// first is refused by its token. Exits with 1 if that write was taken, or if anything else is not as it is told here.
import assert from 'node:assert/strict'
import { MemoryNetwork, memoryStorage, presets, RaftNode } from 'helios-raft'
import { LockClient } from './lock-client.js'
import { type Answer, type Command, Locks } from './locks.js'
import { Storage } from './storage.js'

const TTL_MS = 300
const LONG_MS = 60_000

const network = new MemoryNetwork()
const bootstrap = ['n1', 'n2', 'n3'].map((id) => ({ id, address: id }))
const nodes = bootstrap.map(({ id }) => {
  const own = { id, stateMachine: new Locks(), transport: network.transport(id), ...memoryStorage() }
  return new RaftNode<Command, Answer>({ ...own, bootstrap, ...presets.lan })
})
await Promise.all(nodes.map((node) => node.start()))
await Promise.all(nodes.map((node) => node.ready()))
const leader = nodes.find(({ isLeader }) => isLeader)
const [one, other] = nodes.filter((node) => node !== leader)
assert(leader && one && other)

const storage = new Storage()
const ann = await LockClient.open(one, 'ann')
const bob = await LockClient.open(other, 'bob')

const annsToken = await ann.acquire('report', TTL_MS)
console.log(`ann holds the lock under token ${annsToken}`)
assert(storage.write({ token: annsToken, value: 'by ann' }))

// As if the answer had been lost, with the node that ann talked to: the same call again, elsewhere.
const annElsewhere = await LockClient.open(other, 'ann', ann.session)
const repeated = await annElsewhere.tryAcquire('report', TTL_MS, ann.session.lastSequence)
assert(repeated.type === 'held' && repeated.token === annsToken)
console.log(`ann repeats the call on another node, and gets the same token ${repeated.token}: it is one call`)

// From here on ann sleeps: a long garbage collection, a suspended machine. Nobody can tell her, and no clock wakes her up.
const stopped = leader.stop({ transferMs: 0 })
const bobsToken = await bob.acquire('report', LONG_MS)
await stopped
console.log(`the leader left, ann's time is over, and bob holds the lock under token ${bobsToken}`)
assert(bobsToken > annsToken)
assert(storage.write({ token: bobsToken, value: 'by bob' }))

const isLateWriteTaken = storage.write({ token: annsToken, value: 'by ann, who woke up late' })
console.log(`ann wakes up, believes that she holds the lock, and writes: ${isLateWriteTaken ? 'taken' : 'refused'}`)
assert.deepEqual(await ann.renew('report', annsToken, TTL_MS), { type: 'lost' })
assert.deepEqual(await ann.release('report', annsToken), { type: 'lost' })
assert.deepEqual(await bob.release('report', bobsToken), { type: 'free' })
await Promise.all(nodes.map((node) => node.stop({ transferMs: 0 })))
console.log(
  `storage holds '${storage.value}': ${isLateWriteTaken ? 'the late write was taken' : 'no late write was taken'}`,
)
process.exitCode = isLateWriteTaken ? 1 : 0
