// `npm run demo`: three processes, a write, a read on each, the leader killed and restarted, and a look whether all
// agree. It measures nothing but the gap between two acknowledged writes, fails loudly, and leaves no process behind.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseFlags, wantsHelp } from './config/flags.js'
import { exitWith } from './server/program.js'
import { DemoCluster } from './tools/demo-cluster.js'
import { freeNodes, QUICK_START } from './tools/local-cluster.js'
import { formatTable } from './tools/table.js'

const NAME = 'demo'
const VALUE = 'Hello from helios-raft'
/** The whole of it. */
const DEADLINE_MS = 60_000
/** Acknowledged writes before the leader is killed, and after. */
const WRITES = 20

async function run(cluster: DemoCluster): Promise<void> {
  say(`starting ${cluster.nodes.map(({ id }) => id).join(', ')} with data in ${cluster.directory}`)
  for (const { id } of cluster.nodes) cluster.start(id)
  const leader = await cluster.agreedLeader()
  say(`${leader} is the leader`)
  const survivor = cluster.nodes.find(({ id }) => id !== leader)?.id ?? ''
  expect(await cluster.call(survivor, 'SET', 'greeting', VALUE), 'OK', `SET on ${survivor}`)
  for (const { id } of cluster.nodes) {
    expect(await cluster.call(id, 'GET', 'greeting'), VALUE, `GET on ${id}`)
    say(`GET greeting on ${id}: ${VALUE}`)
  }
  await failOver(cluster, leader, survivor)
  say(`restarting ${leader}`)
  cluster.start(leader)
  await cluster.agreedLeader()
  const rows = await cluster.settled()
  say(formatTable(['node', 'state', 'term', 'commit', 'applied', 'leader'], rows))
  say('All commit indices match - cluster is consistent!')
}

/** Writes one after the other to a survivor, across the death of the leader. */
async function failOver(cluster: DemoCluster, leader: string, survivor: string): Promise<void> {
  let acknowledged = 0
  let unknown = 0
  let lastAcknowledgedAt = 0
  let gapMs = 0
  let killed = false
  while (acknowledged < 2 * WRITES) {
    if (acknowledged >= WRITES && !killed) {
      killed = true
      await cluster.kill(leader)
      say(`${leader} killed with SIGKILL`)
    }
    const reply = await cluster.call(survivor, 'INCR', 'writes')
    const now = performance.now()
    if (typeof reply === 'number') {
      if (killed && acknowledged === WRITES) gapMs = Math.round(now - lastAcknowledgedAt)
      acknowledged += 1
      lastAcknowledgedAt = now
    } else if (reply instanceof Error && /^(TIMEOUT|UNKNOWN) /.test(reply.message)) {
      unknown += 1
    } else if (!(reply instanceof Error && /^(CLUSTERDOWN|BUSY) /.test(reply.message))) {
      throw new Error(`INCR on ${survivor} was answered with ${String(reply)}`)
    }
  }
  const count = Number(await cluster.call(survivor, 'GET', 'writes'))
  if (!(count >= acknowledged && count <= acknowledged + unknown)) {
    throw new Error(`${acknowledged} writes were acknowledged and ${unknown} unknown, but ${count} are there`)
  }
  say(`Failover: writes were away for ${gapMs} ms`)
}

function expect(actual: unknown, expected: string, what: string): void {
  if (actual !== expected) throw new Error(`${what} gave ${String(actual)}, expected ${expected}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function untilSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve)
  })
}

async function main(): Promise<void> {
  if (wantsHelp(process.argv.slice(2))) {
    say(
      'npm run demo [-- --keep]: shows a cluster that survives its leader; --keep: on the ports of npm start, until Ctrl+C',
    )
    return
  }
  const flags = parseFlags(process.argv.slice(2), [
    { name: 'keep', kind: 'boolean', help: 'use the ports of the quick start and stay up until Ctrl+C' },
  ])
  const keep = flags.get('keep') === 'true'
  const directory = await mkdtemp(join(tmpdir(), 'helios-raft-demo-'))
  const cluster = new DemoCluster(keep ? QUICK_START : await freeNodes(), directory)
  let status = 0
  try {
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error(`not done within ${DEADLINE_MS} ms`)), DEADLINE_MS).unref()
    })
    const interrupted = keep ? null : untilSignal().then(() => Promise.reject(new Error('interrupted')))
    await Promise.race([run(cluster), late, cluster.failure, ...(interrupted === null ? [] : [interrupted])])
    if (keep) {
      for (const { resp, http } of cluster.nodes) {
        say(`redis-cli -p ${resp} GET greeting      curl http://127.0.0.1:${http}/kv/greeting`)
      }
      say('The cluster stays up; Ctrl+C ends it.')
      await untilSignal()
    }
  } catch (error) {
    status = 1
    for (const line of cluster.lastLines()) process.stderr.write(`${line}\n`)
    process.stderr.write(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`)
  }
  await cluster.end()
  await rm(directory, { recursive: true, force: true })
  process.exit(status)
}

main().catch((error: unknown) => exitWith(NAME, error))
