// What a flight recorder costs: `node benchmarks/flight-recorder.mjs [ROUNDS]` on a built package. Three nodes in this process over
// memory take commands of 100 bytes from 256 callers, with no recorder, with one in memory and with one in a file, in turns, and it
// prints proposals per second and processor time of all three nodes for each proposal: the median of the rounds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MemoryNetwork, memoryStorage, RaftNode } from 'helios-raft'
import { flightRecorder } from 'helios-raft/testing'

const IDS = ['a', 'b', 'c']
const CALLERS = 256
const ROUND_MS = 3_000

function instrumentation(kind, file) {
  if (kind === 'none') return []
  return [flightRecorder(kind === 'file' ? { file } : {})]
}

async function round(kind) {
  const directory = mkdtempSync(join(tmpdir(), 'helios-flight-'))
  const network = new MemoryNetwork()
  const bootstrap = IDS.map((id) => ({ id, address: id }))
  const stateMachine = { apply: () => 0, async *snapshot() {}, async restore() {} }
  const nodes = IDS.map((id) => {
    const parts = { stateMachine, transport: network.transport(id), ...memoryStorage() }
    return new RaftNode({ id, bootstrap, ...parts, instrumentation: instrumentation(kind, join(directory, id)) })
  })
  await Promise.all(nodes.map((node) => node.start()))
  await Promise.all(nodes.map((node) => node.ready()))
  const leader = nodes.find((node) => node.isLeader)
  const command = 'x'.repeat(100)
  const before = process.cpuUsage()
  let [count, isOver] = [0, false]
  const work = async () => {
    for (; !isOver; count++) await leader.propose(command)
  }
  const callers = Array.from({ length: CALLERS }, work)
  await pause(ROUND_MS)
  isOver = true
  await Promise.all(callers)
  const { user, system } = process.cpuUsage(before)
  await Promise.all(nodes.map((node) => node.stop({ transferMs: 0 })))
  rmSync(directory, { recursive: true, force: true })
  return { perSecond: count / (ROUND_MS / 1_000), cpuMicros: (user + system) / count }
}

function median(values) {
  return values.sort((one, other) => one - other)[values.length >> 1]
}

const rounds = Number(process.argv[2] ?? 7)
const results = { none: [], memory: [], file: [] }
for (let at = 0; at < rounds; at++) for (const kind of Object.keys(results)) results[kind].push(await round(kind))
for (const [kind, measured] of Object.entries(results)) {
  const perSecond = Math.round(median(measured.map((each) => each.perSecond)))
  const cpuMicros = median(measured.map((each) => each.cpuMicros)).toFixed(1)
  console.log(`recorder=${kind} proposalsPerSecond=${perSecond} cpuMicrosPerProposal=${cpuMicros}`)
}
