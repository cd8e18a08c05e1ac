// Three processes with their logs on disk elect one scheduler. Its leader is killed, or paused until another one has taken over,
// again and again. Exits with 1 if a run happened twice.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from './node-main.js'

const FAULTS = ['kill', 'pause', 'kill', 'pause']
/** Runs of one leader before it is disturbed. */
const RUNS_BEFORE_FAULT = 8
const GIVE_UP_MS = 60_000

const directory = mkdtempSync(join(tmpdir(), 'leader-election-'))
const file = join(directory, 'runs')
const addresses = await freeAddresses()
const processes = new Map<string, ChildProcess>()
let listener: (report: Report) => void = () => undefined

function start(id: string): void {
  const program = fileURLToPath(new URL('node-main.js', import.meta.url))
  const child = fork(program, [id, join(directory, id), file, ...addresses])
  child.on('message', (report: Report) => listener(report))
  processes.set(id, child)
}

async function freeAddresses(): Promise<string[]> {
  const servers = ['n1', 'n2', 'n3'].map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports.map((port) => `127.0.0.1:${port}`)
}

/** The node that began so many runs since the call. */
const busyLeader = (): Promise<string> =>
  new Promise((resolve) => {
    const counts = new Map<string, number>()
    listener = (report) => {
      if (report.type !== 'began') return
      const count = (counts.get(report.id) ?? 0) + 1
      counts.set(report.id, count)
      if (count === RUNS_BEFORE_FAULT) resolve(report.id)
    }
  })

async function disturb(leader: string, fault: string): Promise<void> {
  console.log(`${leader} leads: ${fault} it`)
  const child = processes.get(leader)
  if (fault === 'pause') return void child?.send('pause')
  child?.kill('SIGKILL')
  if (child !== undefined) await once(child, 'exit')
  start(leader)
}

/** Of all nodes: one that is paused has gone on by then, with whatever it was about to do. */
const finalReport = (): Promise<Extract<Report, { type: 'schedule' }>> =>
  new Promise((resolve) => {
    let reports = 0
    listener = (report) => {
      if (report.type === 'schedule' && ++reports === processes.size) resolve(report)
    }
    for (const child of processes.values()) child.send('report')
  })

async function stopAll(): Promise<void> {
  const ends = [...processes.values()].map(async (child) => {
    child.send('stop')
    await once(child, 'exit')
  })
  await Promise.all(ends)
}

const watchdog = setTimeout(() => {
  console.error(`not done after ${GIVE_UP_MS} ms`)
  process.exit(1)
}, GIVE_UP_MS)
try {
  for (const id of ['n1', 'n2', 'n3']) start(id)
  for (const fault of FAULTS) await disturb(await busyLeader(), fault)
  await busyLeader()
  const { begun, ended } = await finalReport()
  await stopAll()
  const runs = readFileSync(file, 'utf8').trimEnd().split('\n')
  const twice = runs.filter((run, at) => runs.indexOf(run) !== at)
  const verdict = twice.length === 0 ? 'none' : twice.join(', ')
  console.log(`${begun} runs begun, ${runs.length} ran, ${ended} to their end: ${verdict} ran twice`)
  process.exitCode = twice.length === 0 ? 0 : 1
} finally {
  clearTimeout(watchdog)
  rmSync(directory, { recursive: true, force: true })
}
