// `npm run modelcheck`: searches models, prints a line for each and progress on stderr, and ends with one line of
// key=value on stdout. Exit code 0 when all were exhausted and everything held, 1 otherwise, 2 on a command line that
// can't be understood.
import { UsageError } from '../sim-arguments.js'
import { MODEL_USAGE, parseModelArguments } from './model-arguments.js'
import { runModels } from './model-runner.js'
import type { ModelWorkerMessage } from './model-worker.js'

/** Progress of a model is said again after this many states more. */
const PROGRESS_STATES = 250_000

class Summary {
  models = 0
  states = 0
  violations = 0
  incomplete = 0
  readonly #told = new Map<string, number>()

  onMessage(message: ModelWorkerMessage): void {
    if (message.type === 'progress') {
      const { model, depth, states } = message
      if (states - (this.#told.get(model) ?? 0) < PROGRESS_STATES) return
      this.#told.set(model, states)
      console.error(`${model}: ${states} states at depth ${depth}`)
      return
    }
    const { model, result, seconds } = message
    const { states, depth, complete, violation } = result
    this.models += 1
    this.states += states
    if (violation !== null) this.violations += 1
    if (!complete) this.incomplete += 1
    const name = model.padEnd(20)
    const found = violation === null ? 0 : 1
    console.log(
      `${name} states=${states} depth=${depth} seconds=${seconds.toFixed(1)} complete=${complete} violations=${found}`,
    )
    if (violation !== null) console.error(violation.script)
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const { models, bug, wantsHelp } = parseModelArguments(argv)
  if (wantsHelp) {
    console.log(MODEL_USAGE)
    return 0
  }
  const summary = new Summary()
  await runModels(models, { bug, onMessage: (message) => summary.onMessage(message) })
  console.log(`models=${summary.models} states=${summary.states} violations=${summary.violations}`)
  return summary.violations === 0 && summary.incomplete === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  const message = error instanceof Error ? error.message : String(error)
  console.error(isUsage ? `${message}\n${MODEL_USAGE}` : `modelcheck: ${message}`)
  process.exitCode = isUsage ? 2 : 1
}
