// What hunts came to, for each bug: seeds needed and the checks that found it, as a table for a terminal and for the docs.
import type { Check } from '../checks.js'
import type { HuntResult } from './hunt-plan.js'
import { BUGS } from './index.js'

/** All hunts of one bug. */
export interface BugRow {
  readonly bug: string
  /** Every hunt ended with a violation. */
  readonly isFound: boolean
  /** Seeds of the hunts that found it, rising. */
  readonly seeds: readonly number[]
  /** The checks that found it, most frequent first. */
  readonly checks: readonly Check[]
}

/** Lines of a file between which the table stands; everything else in it is written by hand. */
export const TABLE_BEGIN = '<!-- begin: npm run bugs -->'
export const TABLE_END = '<!-- end: npm run bugs -->'

/** A row for each bug, in the given order. */
export function rowsOf(bugs: readonly string[], results: readonly HuntResult[]): readonly BugRow[] {
  return bugs.map((bug) => {
    const own = results.filter((result) => result.bug === bug)
    const seeds = own.flatMap((result) => (result.seeds === null ? [] : [result.seeds]))
    const counts = new Map<Check, number>()
    for (const { check } of own) if (check !== null) counts.set(check, (counts.get(check) ?? 0) + 1)
    const checks = [...counts].sort(([, one], [, other]) => other - one).map(([check]) => check)
    return { bug, isFound: seeds.length === own.length, seeds: seeds.sort((one, other) => one - other), checks }
  })
}

/** The last line of `npm run bugs`. */
export function summaryLine(rows: readonly BugRow[]): string {
  const found = rows.filter(({ isFound }) => isFound).length
  return `bugs=${rows.length} found=${found} worstSeeds=${worstOf(rows.flatMap(({ seeds }) => seeds))}`
}

export function textTable(rows: readonly BugRow[]): string {
  const cells = rows.map((row) => [
    row.bug,
    hazardOf(row),
    row.isFound ? 'yes' : 'NO',
    profileOf(row),
    seedsText(row),
    row.checks.join(', '),
  ])
  const header = ['bug', 'hazard', 'found', 'profile', 'seeds', 'by check']
  const widths = header.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]): string => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')
  const lines = cells.map((row, at) => `${line(row)}  ${BUGS[rows[at]?.bug ?? '']?.description ?? ''}`)
  return [`${line(header)}  what is done wrong`, ...lines].join('\n')
}

/** The table of the docs, with where its numbers come from. */
export function markdownTable(rows: readonly BugRow[], origin: string): string {
  const lines = rows.map((row) => {
    const { bug, isFound, seeds, checks } = row
    const [median, worst] = isFound ? [medianOf(seeds), worstOf(seeds)] : ['not found', 'not found']
    const description = BUGS[bug]?.description ?? ''
    return `| \`${bug}\` | ${description} | ${hazardOf(row)} | ${profileOf(row)} | ${median} | ${worst} | ${checks.join(', ')} |`
  })
  const all = rows.flatMap(({ seeds }) => seeds)
  const found = rows.filter(({ isFound }) => isFound).length
  return [
    `${found} of ${rows.length} are found, after ${medianOf(all)} seeds in the median and ${worstOf(all)} at worst. ${origin}`,
    '',
    '| bug | what is done wrong | hazard | profile | median seeds | worst | found by |',
    '|---|---|---|---|---:|---:|---|',
    ...lines,
  ].join('\n')
}

/** `text` with another table between its markers; null where it has no such markers. */
export function withTable(text: string, table: string): string | null {
  const [begin, end] = [text.indexOf(TABLE_BEGIN), text.indexOf(TABLE_END)]
  if (begin === -1 || end < begin) return null
  return `${text.slice(0, begin + TABLE_BEGIN.length)}\n${table}\n${text.slice(end)}`
}

/** Of several numbers the middle one, the lower one of two. */
export function medianOf(sorted: readonly number[]): number {
  const rising = [...sorted].sort((one, other) => one - other)
  return rising[(rising.length - 1) >> 1] ?? 0
}

function worstOf(numbers: readonly number[]): number {
  return Math.max(0, ...numbers)
}

function profileOf({ bug }: BugRow): string {
  return BUGS[bug]?.profile ?? 'default'
}

function hazardOf({ bug }: BugRow): string {
  return BUGS[bug]?.hazard ?? ''
}

function seedsText({ seeds }: BugRow): string {
  if (seeds.length === 0) return '-'
  return seeds.length === 1 ? String(seeds[0]) : `${medianOf(seeds)} (worst ${worstOf(seeds)})`
}
