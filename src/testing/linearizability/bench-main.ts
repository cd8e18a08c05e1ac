// `npm run linearizability:bench`: how fast the checker is, and that it is right, on histories with known verdicts: a big
// linearizable one and smaller ones with one stale read each, all of 100 keys, 16 clients and 1 % unknown outcomes.
// Operations per second count the time inside `checkLinearizability` alone, that for the smallest windows included; the
// peak is the resident set of the whole process, the histories included. Ends with one line of key=value on stdout. Exit
// code 0 when the claim holds, 1 when it doesn't, 2 on a command line that can't be understood.
import { SimulationRandom } from '../prng.js'
import { UsageError } from '../sim-arguments.js'
import { BENCH_USAGE, parseBenchArguments } from './bench-arguments.js'
import { correctHistory, type HistoryShape, type KvOperation, plantStaleRead } from './bench-history.js'
import { checkLinearizability } from './check.js'
import { models } from './models.js'

/** The claim. */
const MIN_OPERATIONS_PER_SECOND = 300_000
const MAX_PEAK_BYTES = 300_000_000

const ILLEGAL_HISTORIES = 10
/** Operations of each of those, in parts of the big one. */
const ILLEGAL_PART = 1 / 20
const MIX = { keyCount: 100, clientCount: 16, unknownRatio: 0.01 }

class Totals {
  readonly verdicts = { ok: 0, illegal: 0, undecided: 0 }
  operations = 0
  seconds = 0
  wrong = 0

  /** @param culprit - the planted read; null: the history is linearizable */
  check(history: readonly KvOperation[], culprit: KvOperation | null): void {
    const startedMs = performance.now()
    const { verdict, failure } = checkLinearizability(models.kv(), history)
    const seconds = (performance.now() - startedMs) / 1_000
    this.operations += history.length
    this.seconds += seconds
    this.verdicts[verdict] += 1
    const isKnown = culprit === null ? verdict === 'ok' : failure?.window.includes(culprit) === true
    if (!isKnown) this.wrong += 1
    const found = failure === null ? '' : `, window of ${failure.window.length}`
    console.error(
      `${history.length} operations: ${verdict}${found} in ${seconds.toFixed(2)} s${isKnown ? '' : ' (WRONG)'}`,
    )
    if (!isKnown && failure !== null) console.error(failure.text)
  }
}

function main(argv: readonly string[]): number {
  const { operationCount, seed, wantsHelp } = parseBenchArguments(argv)
  if (wantsHelp) {
    console.log(BENCH_USAGE)
    return 0
  }
  const random = new SimulationRandom(seed)
  const totals = new Totals()
  const shape: HistoryShape = { ...MIX, operationCount: Math.floor(operationCount * ILLEGAL_PART) }
  for (let number = 0; number < ILLEGAL_HISTORIES; number++) {
    const history = correctHistory(random.fork(`illegal ${number}`), shape)
    totals.check(history, plantStaleRead(history))
  }
  totals.check(correctHistory(random.fork('ok'), { ...MIX, operationCount }), null)
  const { operations, seconds, verdicts, wrong } = totals
  const operationsPerSecond = Math.floor(operations / seconds)
  const peakBytes = process.resourceUsage().maxRSS * 1_024
  console.log(
    `operationsPerSecond=${operationsPerSecond} peakMiB=${(peakBytes / 1_048_576).toFixed(1)} ` +
      `verdicts=ok:${verdicts.ok},illegal:${verdicts.illegal},undecided:${verdicts.undecided}`,
  )
  const holds = wrong === 0 && operationsPerSecond >= MIN_OPERATIONS_PER_SECOND && peakBytes < MAX_PEAK_BYTES
  return holds ? 0 : 1
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  const message = error instanceof Error ? error.message : String(error)
  console.error(isUsage ? `${message}\n${BENCH_USAGE}` : `linearizability:bench: ${message}`)
  process.exitCode = isUsage ? 2 : 1
}
