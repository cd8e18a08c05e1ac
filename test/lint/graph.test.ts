// The graph of imports that remain when types are erased: it has no cycle, and nothing that the public root reaches
// needs Node, since the root runs in a browser too.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../../src', import.meta.url))

/** For each file of src, by its path in it: what it imports by value, files as such paths and packages by name. */
function importsByValue(): Map<string, readonly string[]> {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.d)\.ts$/.test(name))
  return new Map(
    files.map((name) => {
      const compilerOptions = { verbatimModuleSyntax: true, target: ts.ScriptTarget.ES2023 }
      const { outputText } = ts.transpileModule(readFileSync(join(src, name), 'utf8'), { compilerOptions })
      const specifiers = ts.preProcessFile(outputText).importedFiles.map(({ fileName }) => fileName)
      return [name, specifiers.map((specifier) => pathOf(name, specifier))]
    }),
  )
}

function pathOf(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  return relative(src, resolve(src, dirname(from), specifier)).replace(/\.js$/, '.ts')
}

/** The first cycle that is found, as a path that ends where it begins; empty when there is none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  function visit(file: string, path: readonly string[]): readonly string[] {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file])
      if (cycle.length > 0) return cycle
    }
    done.add(file)
    return []
  }
  return [...graph.keys()].map((file) => visit(file, [])).find((cycle) => cycle.length > 0) ?? []
}

/** Everything that runs when `start` is imported, each with the file that brings it. */
function reachedFrom(start: string, graph: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const reached = new Map([[start, '']])
  for (const [file] of reached) {
    for (const next of graph.get(file) ?? []) if (!reached.has(next)) reached.set(next, file)
  }
  return reached
}

describe('the graph of imports', () => {
  const graph = importsByValue()

  it('is one of files that exist', () => {
    const missing = [...graph].flatMap(([file, targets]) =>
      targets.filter((to) => to.endsWith('.ts') && !existsSync(join(src, to))).map((to) => `${file} -> ${to}`),
    )
    expect(missing).toEqual([])
  })

  it('has no cycle', () => {
    expect(findCycle(graph)).toEqual([])
  })

  it('sees a cycle where there is one', () => {
    const cyclic = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts']],
      ['c.ts', ['b.ts']],
    ])
    expect(findCycle(cyclic)).toEqual(['b.ts', 'c.ts', 'b.ts'])
  })

  it('leads from the public root to nothing that needs Node', () => {
    const reached = reachedFrom('index.ts', graph)
    expect(reached.has('core/raft-core.ts')).toBe(true)
    expect([...reached].filter(([target]) => /^(node:|level$|fast-check$)/.test(target))).toEqual([])
  })
})
