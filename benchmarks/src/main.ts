// The benchmarks' entry: reads the command line, runs one of them, prints its table. Progress goes to stderr, so that
// stdout is the result. Exit 0, 1 when it failed, 2 for a command line that it can't understand.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { catchUpBenchmark } from './catch-up.js'
import { parseCommandLine, USAGE, UsageError } from './options.js'
import { proposeBenchmark } from './propose.js'
import { catchUpTable, proposeTable } from './report.js'

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  const { benchmark, options } = parseCommandLine(args)
  const progress = (line: string): void => console.error(line)
  const [report, text] = await (benchmark === 'propose'
    ? proposeBenchmark(options, progress).then((result) => [result, proposeTable(result)] as const)
    : catchUpBenchmark(options, progress).then((result) => [result, catchUpTable(result)] as const))
  mkdirSync(dirname(options.json), { recursive: true })
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  console.log(text)
  console.error(`written to ${options.json}`)
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(isUsage ? `${error.message}\n${USAGE}` : error)
  process.exitCode = isUsage ? 2 : 1
}
