// Clients of five nodes read by lease, by rounds and what is there, and write, while the faults come one after the other. Then the
// history is judged.
import { setTimeout as pause } from 'node:timers/promises'
import { Cluster, settled } from './cluster.mjs'
import { Faults } from './faults.mjs'
import { History } from './history.mjs'

const CLIENTS_PER_NODE = 3
/** Longest pause between two calls of a client. */
const PAUSE_MS = 12
const MAX_STALENESS_MS = 120

async function client({ name, process, history, isOver }) {
  while (!isOver()) {
    await pause(PAUSE_MS * Math.random())
    if (!process.isUp) continue
    const draw = Math.random()
    if (draw < 0.25) await history.write(process, name)
    else if (draw < 0.75) await history.read(process, name, { consistency: 'lease' })
    else if (draw < 0.85) await history.read(process, name, { consistency: 'linearizable' })
    else await history.readLocal(process, name, MAX_STALENESS_MS * Math.random())
  }
}

/** At least all faults once, and from the first again until `seconds` have passed. */
export async function run({ directory, seconds, onFault = () => {} }) {
  const cluster = new Cluster(directory)
  const history = new History()
  const faults = new Faults(cluster, history)
  const beganAt = performance.now()
  let isEnding = false
  try {
    await cluster.start()
    const clients = cluster.processes.flatMap((process) =>
      Array.from({ length: CLIENTS_PER_NODE }, (_, at) =>
        client({ name: `${process.id}-${at}`, process, history, isOver: () => isEnding }),
      ),
    )
    const hasTime = () => performance.now() - beganAt < 1_000 * seconds
    for (let round = 1; round === 1 || hasTime(); round += 1) {
      for (const [name, fault] of Object.entries(faults.all())) {
        if (round > 1 && !hasTime()) break
        await cluster.leaseholder()
        await fault()
        onFault({ round, name, ...history.counts, seconds: secondsSince(beganAt) })
      }
    }
    isEnding = true
    await Promise.all(clients)
    for (const each of cluster.processes) await settled(async () => (await history.readAll(each)).every(Boolean))
    const unsettled = cluster.processes.reduce((sum, { pendingCalls }) => sum + pendingCalls, 0)
    await Promise.all(cluster.processes.map((each) => each.ask('stop')))
    const { verdict, failure } = history.judge()
    const codes = Object.fromEntries(history.codes)
    const counts = { ...history.counts, ...faults.counts }
    return { ...counts, seconds: secondsSince(beganAt), unsettled, codes, verdict, text: failure?.text ?? null }
  } finally {
    isEnding = true
    cluster.end()
  }
}

function secondsSince(at) {
  return Math.round((performance.now() - at) / 1_000)
}
