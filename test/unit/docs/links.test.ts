// The documentation against the files and the code that it speaks of: every relative link leads somewhere, and every
// error code, option, event, status field and fault has its row in the reference. Reads sources as text, because types
// are gone when a test runs.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { DEFAULTS } from '../../../src/node/options.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'src/core/README.md'],
  ...['atlas-kv', 'leader-election', 'lock'].map((name) => `examples/${name}/README.md`),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

describe('links of the documentation', () => {
  it.each(pages)('%s has no relative link that leads nowhere', (page) => {
    expect(linksOf(page).filter((link) => !isAlive(page, link))).toEqual([])
  })

  it('finds the links that it judges, and a dead one among them', () => {
    expect(linksOf('README.md')).toContain('CONTRIBUTING.md')
    expect(isAlive('README.md', 'docs/reference/options.md#limits')).toBe(true)
    expect(isAlive('README.md', 'docs/reference/options.md#no-such-heading')).toBe(false)
    expect(isAlive('README.md', 'docs/reference/no-such-page.md')).toBe(false)
  })

  it('every page below docs is linked from another one', () => {
    const targets = new Set(pages.flatMap((page) => linksOf(page).map((link) => pathOf(page, link))))
    expect(pages.filter((page) => page.startsWith('docs/') && !targets.has(join(root, page)))).toEqual([])
  })
})

describe('the reference', () => {
  it('errors.md has a row for each RaftErrorCode, and for nothing else', () => {
    const source = read('src/errors.ts')
    const union = source.slice(source.indexOf('export type RaftErrorCode'), source.indexOf('/** Codes after which'))
    const codes = [...union.matchAll(/'(RAFT_[A-Z_]+)'/g)].map(([, code]) => code ?? '')
    expect(codes.length).toBeGreaterThan(15)
    const rows = rowsOf('docs/reference/errors.md').filter((name) => name.startsWith('RAFT_'))
    expect([...new Set(rows)].sort()).toEqual([...codes].sort())
  })

  it.each([
    ['options.md', 'src/node/options.ts', 'RaftNodeOptions'],
    ['options.md', 'src/node/options.ts', 'Limits'],
    ['options.md', 'src/node/calls.ts', 'CallOptions'],
    ['options.md', 'src/node/calls.ts', 'ReadOptions'],
    ['options.md', 'src/transports/tcp/options.ts', 'TcpTransportOptions'],
    ['options.md', 'src/transports/memory/links.ts', 'MemoryNetworkOptions'],
    ['events-and-status.md', 'src/node/node-events.ts', 'RaftNodeEvents'],
    ['events-and-status.md', 'src/node/status.ts', 'RaftStatus'],
    ['events-and-status.md', 'src/node/status.ts', 'PeerStatus'],
    ['testing.md', 'src/testing/report.ts', 'SimulationOptions'],
    ['testing.md', 'src/testing/model-checker/model-check.ts', 'ModelCheckOptions'],
    ['testing.md', 'src/testing/report.ts', 'SimulationReport'],
    ['testing.md', 'src/testing/flight/flight-recorder.ts', 'FlightRecorderOptions'],
  ])('%s has a row for each field of %s %s', (page, file, name) => {
    const rows = rowsOf(`docs/reference/${page}`)
    expect(fieldsOf(file, name).filter((field) => !rows.includes(field))).toEqual([])
  })

  it('testing.md has a row for each fault', () => {
    const source = read('src/testing/fault-plan.ts')
    const union = source.slice(source.indexOf('export type FaultKind'), source.indexOf('export type Fault ='))
    const types = [...union.matchAll(/readonly type: ([^\n;]+);/g), ...union.matchAll(/readonly type: ('\w+')\n/g)]
    const faults = types.flatMap(([, text]) => [...(text ?? '').matchAll(/'(\w+)'/g)].map(([, fault]) => fault ?? ''))
    expect(faults).toContain('link')
    const rows = rowsOf('docs/reference/testing.md')
    expect(faults.filter((fault) => !rows.includes(fault))).toEqual([])
  })

  it('options.md has the defaults that a node has', () => {
    const { limits, ...others } = DEFAULTS
    const page = read('docs/reference/options.md')
    for (const [name, value] of Object.entries({ ...others, ...limits })) {
      const cell = new RegExp(`^\\| \`${name}\` \\| ([^|]+) \\|`, 'm').exec(page)?.[1]
      expect([name, cell]).toEqual([name, shown(value)])
    }
  })
})

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Prose only: what stands in a block of code is no link. */
function linksOf(page: string): readonly string[] {
  const prose = read(page).replace(/^```[^]*?^```/gm, '')
  const targets = [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target ?? '')
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}

function pathOf(page: string, link: string): string {
  const [path = ''] = link.split('#')
  return path === '' ? join(root, page) : resolve(root, dirname(page), path)
}

function isAlive(page: string, link: string): boolean {
  const path = pathOf(page, link)
  const anchor = link.split('#')[1]
  const isInside = !relative(root, path).startsWith('..')
  if (!isInside || !existsSync(path)) return false
  if (anchor === undefined) return true
  return statSync(path).isFile() && anchorsOf(readFileSync(path, 'utf8')).includes(anchor)
}

/** The anchors that headings get where the pages are shown. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '')
    return plain.replaceAll(' ', '-')
  })
}

/** What stands in code quotes in the first cell of each row of a table. */
function rowsOf(page: string): readonly string[] {
  const cells = [...read(page).matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell ?? '')
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
}

/** The names that an interface of the source declares itself. */
function fieldsOf(file: string, name: string): readonly string[] {
  const source = read(file)
  const start = new RegExp(`^export interface ${name}\\b[^]*?\\{$`, 'm').exec(source)
  if (start === null) throw new Error(`${file} has no interface ${name}`)
  const body = source.slice(start.index + start[0].length)
  const own = body.slice(0, body.indexOf('\n}'))
  const fields = [...own.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, field]) => field ?? '')
  expect(fields.length).toBeGreaterThan(1)
  return fields
}

/** As the tables write it. */
function shown(value: number | boolean): string {
  if (typeof value === 'boolean') return `\`${value}\``
  return value % 1024 ** 2 === 0 ? `${value / 1024 ** 2} MiB` : value.toLocaleString('en-US')
}
