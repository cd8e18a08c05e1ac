// The random case of the log store suite: a sequence of calls, restarts and crashes that a seed decides, run on the
// store and on a model, which must agree after each step. A failure names the seed that repeats it.
import type { LogEntry } from '../core/types.js'
import type { LogWrite } from '../interfaces/log-store.js'
import { type ConformanceCase, expectEqual } from './conformance.js'
import { ALL, command, configurationEntry, type LogBench } from './log-bench.js'
import { LogModel } from './log-model.js'
import { SimulationRandom } from './prng.js'

const STEPS = 150
const MAX_SEED = 2 ** 32 - 1

/** One sequence. @param seed - @defaultValue random */
export function randomLogCase(seed: number = Math.floor(Math.random() * (MAX_SEED + 1))): ConformanceCase<LogBench> {
  return {
    name: 'a random sequence of writes, truncations, resets, compactions, restarts and crashes equals the model',
    body: async (bench) => {
      let step = 0
      try {
        const random = new SimulationRandom(BigInt(seed))
        const model = new LogModel()
        expectEqual(await bench.open(), model.restored(), 'open() of a new store')
        for (step = 1; step <= STEPS; step++) await act(bench, model, random)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        const again = `repeat it with testLogStore(factory, run, { seed: ${seed} })`
        throw new Error(`step ${step} of seed ${seed}: ${reason}; ${again}`, { cause: error })
      }
    },
  }
}

async function act(bench: LogBench, model: LogModel, random: SimulationRandom): Promise<void> {
  const { store } = bench
  const dice = random.integer(1, 100)
  if (dice <= 60) {
    const batch = randomBatch(model, random)
    await store.write(batch)
    model.write(batch)
  } else if (dice <= 72) {
    const index = random.integer(Math.max(0, model.baseIndex - 3), model.lastIndex + 2)
    await store.compact(index)
    model.compact(index)
  } else if (dice <= 90) {
    const first = random.integer(Math.max(1, model.baseIndex - 2), model.lastIndex + 2)
    const last = first + random.integer(0, 40)
    expectEqual(await store.read(first, last, ALL), model.range(first, last), `read(${first}, ${last})`)
  } else {
    const restored = dice <= 95 ? await bench.restart() : await bench.crash()
    expectEqual(restored, model.restored(), dice <= 95 ? 'open() after a restart' : 'open() after a crash')
    await bench.expectLog(model.entries, 'the log after a restart')
  }
}

function randomBatch(model: LogModel, random: SimulationRandom): LogWrite {
  const resets = random.integer(1, 100) <= 6
  const resetTo = resets
    ? { index: random.integer(Math.max(0, model.baseIndex - 5), model.lastIndex + 20), term: model.lastTerm + 1 }
    : undefined
  const base = resetTo?.index ?? model.baseIndex
  const last = resetTo?.index ?? model.lastIndex
  const first = random.integer(1, 100) <= 20 ? random.integer(base + 1, last + 1) : last + 1
  const previous = first - 1 > base ? model.entries[first - 2 - base]?.term : (resetTo?.term ?? model.baseTerm)
  const entries = randomEntries(first, previous ?? model.lastTerm, random)
  const { currentTerm } = model.hardState
  return {
    ...(resetTo === undefined ? {} : { resetTo }),
    ...(random.integer(1, 10) === 1 ? {} : { entries }),
    ...(random.integer(1, 4) > 1 ? {} : { hardState: { currentTerm: currentTerm + 1, votedFor: pick(random) } }),
    ...(random.integer(1, 20) > 1 ? {} : { identity: randomIdentity(random) }),
  }
}

function randomEntries(first: number, previousTerm: number, random: SimulationRandom): readonly LogEntry[] {
  let term = Math.max(1, previousTerm)
  return Array.from({ length: random.integer(0, 12) }, (_, i) => {
    if (random.integer(1, 8) === 1) term += random.integer(1, 3)
    if (random.integer(1, 10) === 1) return configurationEntry(first + i, term)
    return command(first + i, term, random.integer(0, 60))
  })
}

function randomIdentity(random: SimulationRandom) {
  const bootCount = random.integer(0, 1_000_000)
  return { clusterId: 'c', nonce: `n${bootCount}`, storeId: 's', bootCount, leasePromiseMs: random.integer(0, 5000) }
}

function pick(random: SimulationRandom): string | null {
  return [null, 'a', 'b', 'node.with-a_long-name'][random.integer(0, 3)] ?? null
}
