// `npm run bugs`: hunts each seeded bug with the simulator until a seed ends with a violation, shows progress on stderr and
// a table on stdout, and ends with one line of key=value. Exit code 0 when every bug was found, 1 when one was not, 2 on
// a command line that can't be understood.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { UsageError } from '../sim-arguments.js'
import { markdownTable, rowsOf, summaryLine, TABLE_BEGIN, TABLE_END, textTable, withTable } from './bug-table.js'
import { BUGS_USAGE, type BugsArguments, parseBugsArguments } from './bugs-arguments.js'
import { runHunts } from './hunt.js'
import type { Hunt, HuntResult } from './hunt-plan.js'

async function main(argv: readonly string[]): Promise<number> {
  const options = parseBugsArguments(argv)
  if (options.wantsHelp) {
    console.log(BUGS_USAGE)
    return 0
  }
  const { bugs, maxSeeds, markdownFile } = options
  if (markdownFile !== undefined) checkMarkers(markdownFile)
  const hunts = huntsOf(options)
  const results: HuntResult[] = []
  await runHunts(hunts, maxSeeds, (result) => {
    results.push(result)
    console.error(`${results.length} of ${hunts.length}: ${describe(result, maxSeeds)}`)
  })
  const rows = rowsOf(bugs, results)
  if (markdownFile !== undefined) writeTable(markdownFile, markdownTable(rows, originOf(argv)))
  console.log(textTable(rows))
  console.log(summaryLine(rows))
  return rows.every(({ isFound }) => isFound) ? 0 : 1
}

function huntsOf({ bugs, firstSeed, maxSeeds, repeats }: BugsArguments): readonly Hunt[] {
  return Array.from({ length: repeats }, (_, repeat) => firstSeed + BigInt(repeat) * BigInt(maxSeeds)).flatMap((seed) =>
    bugs.map((bug) => ({ bug, firstSeed: seed })),
  )
}

function describe({ bug, firstSeed, seeds, check, violation }: HuntResult, maxSeeds: number): string {
  if (seeds === null) return `${bug} was not found in ${maxSeeds} seeds from ${firstSeed} on`
  return `${bug} in seed ${firstSeed + BigInt(seeds - 1)}, after ${seeds}, by ${check}: ${violation}`
}

/** Where the numbers of a table come from. */
function originOf(argv: readonly string[]): string {
  const command = `npm run bugs -- ${argv.filter((_, at) => !isMarkdownArgument(argv, at)).join(' ')}`
  const machine = `${availableParallelism()} threads of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`
  const date = new Date().toISOString().slice(0, 10)
  return `\`${command.replace(/ -- $/, '')}\`, ${machine}, Node ${process.versions.node}, ${date}.`
}

function isMarkdownArgument(argv: readonly string[], at: number): boolean {
  return argv[at]?.startsWith('--markdown') === true || argv[at - 1] === '--markdown'
}

/** Before the hunt, which takes minutes. */
function checkMarkers(file: string): void {
  if (withTable(readFileSync(file, 'utf8'), '') !== null) return
  throw new UsageError(`--markdown ${file} has no lines ${TABLE_BEGIN} and ${TABLE_END} to write between`)
}

function writeTable(file: string, table: string): void {
  const text = withTable(readFileSync(file, 'utf8'), table)
  if (text !== null) writeFileSync(file, text)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(
    isUsage ? `${error.message}\n${BUGS_USAGE}` : `bugs: ${error instanceof Error ? error.message : String(error)}`,
  )
  process.exitCode = isUsage ? 2 : 1
}
