// The lint zones: bad files are linted as if they lay in the tree, with the project's own configuration, and each must
// be refused by the rule that exists for it; each zone also has an innocent file, so that a rule that refuses all fails.
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

// Files that don't exist have no types: the rules that need them are tested on a file that does.
const untyped = tseslint.configs.disableTypeChecked as ESLint.Options['overrideConfig']
const eslint = new ESLint({ cwd: root, overrideConfig: untyped })
const typed = new ESLint({ cwd: root })

async function rulesAgainst(file: string, text: string, linter: ESLint = eslint): Promise<string[]> {
  const [result] = await linter.lintText(text, { filePath: `${root}${file}`, warnIgnored: true })
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId}: ${message}`)
}

interface Case {
  readonly what: string
  readonly file: string
  readonly text: string
  /** Beginning of what the linter says. */
  readonly by: string
}

const IN_CORE: readonly Omit<Case, 'file'>[] = [
  {
    what: 'an import from above',
    text: "import { RaftError } from '../errors.js'",
    by: 'helios/layers: core must not',
  },
  { what: 'a type from above', text: "import type { Clock } from '../interfaces/clock.js'", by: 'helios/layers: core' },
  {
    what: 'an inline type from above',
    text: "export type C = import('../interfaces/clock.js').Clock",
    by: 'helios/layers',
  },
  { what: 'a re-export from above', text: "export * from '../codec/crc32.js'", by: 'helios/layers: core must not' },
  {
    what: 'a bare import',
    text: "import { pack } from 'msgpackr'",
    by: 'helios/layers: core must not import the package',
  },
  { what: "Node's own modules", text: "import { readFileSync } from 'node:fs'", by: 'helios/layers: core must not' },
  { what: 'a dynamic import', text: "export const x: unknown = import('level')", by: 'helios/layers: core must not' },
  {
    what: 'an import() of a computed name',
    text: 'export const x: unknown = import(name)',
    by: 'helios/layers: an import',
  },
  { what: 'a way round by another folder', text: "import { a } from '../core/../node/calls.js'", by: 'helios/layers' },
  { what: 'an async function', text: 'export async function f(): Promise<void> {}', by: 'no-restricted-syntax: async' },
  { what: 'an async arrow', text: 'export const f = async (): Promise<void> => {}', by: 'no-restricted-syntax: async' },
  {
    what: 'an async method',
    text: 'export class A { async f(): Promise<void> {} }',
    by: 'no-restricted-syntax: async',
  },
  { what: 'Date.now()', text: 'export const now: number = Date.now()', by: 'no-restricted-globals' },
  { what: 'new Date', text: 'export const now: unknown = new Date()', by: 'no-restricted-globals' },
  { what: 'Math.random()', text: 'export const x: number = Math.random()', by: 'no-restricted-properties' },
  { what: 'Math.random by destructuring', text: 'export const { random } = Math', by: 'no-restricted-properties' },
  { what: 'a Promise', text: 'export const x: unknown = Promise.resolve()', by: 'no-restricted-globals' },
  { what: 'globalThis', text: "export const x: unknown = globalThis['Date']", by: 'no-restricted-globals' },
  { what: 'an order of the locale', text: 'export const x: number = a.localeCompare(b)', by: 'no-restricted-syntax' },
  {
    what: 'a throw beside assert',
    text: "export function f(): void { throw new Error('') }",
    by: 'no-restricted-syntax',
  },
]

const ELSEWHERE: readonly Case[] = [
  {
    what: 'a store that imports the driver',
    file: 'src/stores/level/bad.ts',
    text: "import { RaftNode } from '../../node/raft-node.js'",
    by: 'helios/layers: stores/level must not import node/raft-node.ts',
  },
  {
    what: 'a store that imports another store',
    file: 'src/stores/memory/bad.ts',
    text: "import { LevelLogStore } from '../level/index.js'",
    by: 'helios/layers: stores/memory must not import stores/level/index.ts',
  },
  {
    what: 'a store that runs code of the core',
    file: 'src/stores/files/bad.ts',
    text: "import { assert } from '../../core/assert.js'",
    by: 'helios/layers: stores/files may import only types from core/assert.ts',
  },
  {
    what: 'a memory store that needs Node',
    file: 'src/stores/memory/bad.ts',
    text: "import { createHash } from 'node:crypto'",
    by: "helios/layers: stores/memory must not import 'node:crypto'",
  },
  {
    what: 'a transport that imports a store',
    file: 'src/transports/tcp/bad.ts',
    text: "import { MemoryLogStore } from '../../stores/memory/index.js'",
    by: 'helios/layers: transports/tcp must not import stores/memory/index.ts',
  },
  {
    what: 'a transport that imports the driver, types too',
    file: 'src/transports/memory/bad.ts',
    text: "import type { RaftNode } from '../../node/raft-node.js'",
    by: 'helios/layers: transports/memory must not import node/raft-node.ts',
  },
  {
    what: 'a driver that imports a transport',
    file: 'src/node/bad.ts',
    text: "import { TcpTransport } from '../transports/tcp/index.js'",
    by: 'helios/layers: node must not import transports/tcp/index.ts',
  },
  {
    what: 'a driver that imports the test tools',
    file: 'src/node/bad.ts',
    text: "import { simulate } from '../testing/index.js'",
    by: 'helios/layers: node must not import testing/index.ts',
  },
  {
    what: 'a driver that can run on Node only',
    file: 'src/node/bad.ts',
    text: 'export const x: string = process.platform',
    by: 'no-restricted-globals',
  },
  {
    what: 'an interface that imports more than types',
    file: 'src/interfaces/bad.ts',
    text: "import { RULES } from '../core/rules.js'",
    by: 'helios/layers: interfaces may import only types',
  },
  {
    what: 'a codec that imports a store',
    file: 'src/codec/bad.ts',
    text: "import { MemoryLogStore } from '../stores/memory/index.js'",
    by: 'helios/layers: codec must not',
  },
  {
    what: 'a public root that brings LevelDB along',
    file: 'src/index.ts',
    text: "export { levelStorage } from './stores/level/index.js'",
    by: 'helios/layers: index.ts must not import stores/level/index.ts',
  },
  {
    what: 'a folder without a layer',
    file: 'src/elsewhere/bad.ts',
    text: "import { a } from './b.js'",
    by: 'helios/layers: elsewhere/bad.ts lies in no layer',
  },
  {
    what: 'an example that reaches into src',
    file: 'examples/quickstart/src/bad.ts',
    text: "import { RaftNode } from '../../../src/index.js'",
    by: 'helios/public-only',
  },
  {
    what: 'an integration test that reaches into dist',
    file: 'test/integration/bad.test.ts',
    text: "import { RaftNode } from '../../dist/index.js'",
    by: 'helios/public-only',
  },
  {
    what: 'a default export',
    file: 'src/node/bad.ts',
    text: 'const x = 1\nexport default x',
    by: 'no-restricted-syntax: no default exports',
  },
  {
    what: 'a type imported as a value',
    file: 'src/node/bad.ts',
    text: "import { Clock } from '../interfaces/clock.js'\nexport const c: Clock | null = null",
    by: '@typescript-eslint/consistent-type-imports',
  },
  {
    what: 'an any',
    file: 'src/node/bad.ts',
    text: 'export const x: any = 1',
    by: '@typescript-eslint/no-explicit-any',
  },
  {
    what: 'a non-null assertion',
    file: 'src/node/bad.ts',
    text: 'export const x: number = [1][0]!',
    by: '@typescript-eslint/no-non-null-assertion',
  },
  {
    what: 'a silenced compiler',
    file: 'src/node/bad.ts',
    text: "// @ts-ignore\nexport const x: number = ''",
    by: '@typescript-eslint/ban-ts-comment',
  },
  { what: 'a file of 401 lines', file: 'src/node/bad.ts', text: 'export {}\n'.repeat(401), by: 'max-lines: ' },
  {
    what: 'a function of 61 lines',
    file: 'src/node/bad.ts',
    text: `export function f(): void {\n${'  void 0\n'.repeat(59)}}`,
    by: 'max-lines-per-function: ',
  },
]

const INNOCENT: Readonly<Record<string, string>> = {
  'src/core/good.ts': "import { assert } from './assert.js'\nassert(Math.max(1, 2) === 2, 'two is more')\n",
  'src/interfaces/good.ts': "import type { NodeId } from '../core/types.js'\nexport type Names = readonly NodeId[]\n",
  'src/codec/good.ts':
    "import { crc32 } from 'node:zlib'\nimport { RaftError } from '../errors.js'\nvoid [crc32, RaftError]\n",
  'src/node/good.ts':
    "import { RaftCore } from '../core/index.js'\nexport const wait = async (): Promise<void> => void RaftCore\n",
  'src/stores/level/good.ts': "import { FileSnapshotStore } from '../files/index.js'\nvoid FileSnapshotStore\n",
  'src/transports/tcp/good.ts':
    "import { createServer } from 'node:net'\nimport type { Message } from '../../core/messages.js'\nexport type M = Message\nvoid createServer\n",
  'src/testing/good.ts':
    "import { RaftNode } from '../index.js'\nimport { RULES } from '../core/rules.js'\nvoid [RaftNode, RULES]\n",
  'examples/quickstart/src/good.ts': "import { RaftNode } from 'helios-raft'\nvoid RaftNode\n",
  'src/node/long.ts': `export function f(): void {\n${'  void 0\n'.repeat(58)}}\n`,
}

describe('the lint zones', () => {
  it.each(IN_CORE)('refuse $what in the core', async ({ text, by }) => {
    const said = await rulesAgainst('src/core/bad.ts', `${text}\n`)
    expect(
      said.filter((line) => line.startsWith(by)),
      said.join('\n'),
    ).not.toEqual([])
  })

  it.each(ELSEWHERE)('refuse $what', async ({ file, text, by }) => {
    const said = await rulesAgainst(file, `${text}\n`)
    expect(
      said.filter((line) => line.startsWith(by)),
      said.join('\n'),
    ).not.toEqual([])
  })

  it('refuse a promise that nobody waits for', async () => {
    const text = 'async function f(): Promise<void> {}\nexport function g(): void {\n  f()\n}\n'
    const said = await rulesAgainst('src/interfaces/clock.ts', text, typed)
    expect(said.join('\n')).toContain('@typescript-eslint/no-floating-promises')
  })

  it.each(Object.entries(INNOCENT))('let %s through', async (file, text) => {
    expect(await rulesAgainst(file, text)).toEqual([])
  })
})
