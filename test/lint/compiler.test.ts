// The core as a compiler project of its own: what must not be there doesn't compile. The files are compiled with the
// settings of src/core/tsconfig.json, as if they lay in src/core; one of them is innocent, so that a broken set-up fails too.
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const core = fileURLToPath(new URL('../../src/core', import.meta.url))

/** Messages of the compiler about each file, and about the project. */
function compile(files: Readonly<Record<string, string>>): { of: Map<string, string[]>; project: string[] } {
  const path = join(core, 'tsconfig.json')
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, ts.sys.readFile).config,
    ts.sys,
    core,
  )
  const sources = new Map(Object.entries(files).map(([name, text]) => [resolve(core, name), text]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (name) => sources.has(resolve(name)) || fileExists(name)
  host.readFile = (name) => sources.get(resolve(name)) ?? readFile(name)
  const program = ts.createProgram({ rootNames: [...fileNames, ...sources.keys()], options, host })
  const text = (diagnostic: ts.Diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')
  const of = new Map<string, string[]>()
  for (const name of Object.keys(files)) {
    const source = program.getSourceFile(resolve(core, name))
    of.set(name, [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(text))
  }
  return { of, project: program.getOptionsDiagnostics().map(text) }
}

/** What a careless hand could write into the core, and what the compiler answers. */
const REFUSED: Readonly<Record<string, { text: string; answer: RegExp }>> = {
  'a timer': { text: 'export const timer: unknown = setTimeout(() => {}, 1)', answer: /'setTimeout'/ },
  'a microtask': { text: 'queueMicrotask(() => {})\nexport {}', answer: /'queueMicrotask'/ },
  'new Promise': { text: 'export const later: unknown = new Promise(() => {})', answer: /'Promise'/ },
  'the process': { text: 'export const id: number = process.pid', answer: /'process'/ },
  'a Buffer': { text: "export const bytes: Uint8Array = Buffer.from('')", answer: /'Buffer'/ },
  'the console': { text: "console.log('')\nexport {}", answer: /'console'/ },
  'the performance clock': { text: 'export const now: number = performance.now()', answer: /'performance'/ },
  "Node's own modules": { text: "import { readFileSync } from 'node:fs'\nreadFileSync('')", answer: /'node:fs'/ },
}

describe('the compiler project of the core', () => {
  const cases = Object.entries(REFUSED)
  const files = Object.fromEntries(cases.map(([, { text }], position) => [`refused-${position}.ts`, text]))
  const innocent = "import { assert } from './assert.js'\nassert(true, '')\n"
  const { of, project } = compile({ ...files, 'innocent.ts': innocent })

  it.each(cases.map(([what, { answer }], position) => ({ what, answer, file: `refused-${position}.ts` })))(
    'refuses $what',
    ({ answer, file }) => {
      expect(of.get(file)?.join('\n')).toMatch(answer)
    },
  )

  it('accepts a file that imports its neighbour', () => {
    expect(of.get('innocent.ts')).toEqual([])
  })

  it('has settings that are in order', () => {
    expect(project).toEqual([])
  })

  it('refuses an import from above', () => {
    const { of: answers } = compile({ 'upward.ts': "import { RaftError } from '../errors.js'\nvoid RaftError\n" })
    expect(answers.get('upward.ts')?.join('\n')).toMatch(/errors\.ts' is not under 'rootDir'/)
  })
})
