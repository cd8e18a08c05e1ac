// PARITY.md as data: its rows by group, and what each says of our tests. Reads and never judges; parity.test.ts judges.
import { existsSync, readFileSync } from 'node:fs'

/** Where a row says that its scenario is asserted: a file from the root, and the test in it unless the file is a script. */
export interface TestReference {
  readonly file: string
  readonly name: string
}

export type Verdict =
  | { readonly type: 'tests'; readonly tests: readonly TestReference[] }
  | { readonly type: 'waits'; readonly feature: string }
  | { readonly type: 'notOurs'; readonly reason: string }
  | { readonly type: 'open' }
  | { readonly type: 'unreadable' }

export interface ParityRow {
  readonly group: string
  /** Suite and scenario, as scenario-names.txt has them. */
  readonly name: string
  readonly asserts: string
  readonly verdict: Verdict
}

/** What a row may wait for. A feature that exists goes from this list, and its rows get tests. */
export const AWAITED_FEATURES: readonly string[] = ['chaos', 'storage stalls', 'WAL store']

export function parseTable(markdown: string): readonly ParityRow[] {
  const rows: ParityRow[] = []
  let group = ''
  for (const line of markdown.split('\n')) {
    if (line.startsWith('## ')) group = line.slice(3)
    if (!line.startsWith('| ') || line.startsWith('| --- ') || line.startsWith('| suite ')) continue
    const [suite = '', scenario = '', asserts = '', ours = ''] = line.slice(2).split(/ \|(?: |$)/)
    rows.push({ group, name: `${suite} ${scenario}`.replaceAll('\\*', '*'), asserts, verdict: verdictOf(ours) })
  }
  return rows
}

/** The names of scenario-names.txt by group, as `group: name`. */
export function parseNames(text: string): readonly string[] {
  const names: string[] = []
  let group = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) group = line.slice(2)
    else if (line !== '') names.push(`${group}: ${line}`)
  }
  return names
}

function verdictOf(cell: string): Verdict {
  if (cell === 'open') return { type: 'open' }
  const [, kind, text = ''] = /^(waits for|not ours): (.+)$/.exec(cell) ?? []
  if (kind === 'waits for') return { type: 'waits', feature: text }
  if (kind === 'not ours') return { type: 'notOurs', reason: text }
  const parts = cell.split('<br>').map((part) => /^`([^`]+)`(?: (.+))?$/.exec(part))
  const tests = parts.map((part) => ({ file: part?.[1] ?? '', name: part?.[2] ?? '' }))
  return tests.every(({ file }) => file !== '') ? { type: 'tests', tests } : { type: 'unreadable' }
}

/** What is wrong with a reference, or null: the file must exist, and a test of exactly that name in it. */
export function complaintAbout({ file, name }: TestReference, root: URL): string | null {
  const url = new URL(file, root)
  if (!existsSync(url)) return `there is no ${file}`
  if (/^test\/scenarios\/[\w-]+\.txt$/.test(file)) return name === '' ? null : `${file} is a script and has one story`
  return testNames(file, readFileSync(url, 'utf8')).has(name) ? null : `${file} has no test '${name}'`
}

/** The names in `it('…')`, `test('…')` and `test.each(…)('…')`; in a conformance suite those of its cases. */
function testNames(file: string, source: string): ReadonlySet<string> {
  const isSuite = /^src\/testing\/[\w-]+-cases\.ts$/.test(file)
  const call = isSuite
    ? /\bname: (['"`])((?:\\.|(?!\1).)*)\1/g
    : /(?:\b(?:it|test)|\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g
  return new Set([...source.matchAll(call)].map(([, , name = '']) => name.replaceAll(/\\(.)/g, '$1')))
}
