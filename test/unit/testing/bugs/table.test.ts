import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { markdownTable, rowsOf, summaryLine, textTable, withTable } from '../../../../src/testing/bugs/bug-table.js'
import type { HuntResult } from '../../../../src/testing/bugs/hunt-plan.js'
import { BUGS, bugNames } from '../../../../src/testing/bugs/index.js'

const result = (bug: string, seeds: number | null): HuntResult => {
  const isFound = seeds !== null
  return { bug, firstSeed: 1n, seeds, check: isFound ? 'liveness' : null, violation: isFound ? 'it stood still' : null }
}

describe('the table of seeded bugs', () => {
  it('names each bug once, with what is done wrong and its hazard', () => {
    expect(new Set(bugNames()).size).toBe(bugNames().length)
    for (const [name, { description, hazard }] of Object.entries(BUGS)) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(description.length).toBeGreaterThan(20)
      expect(hazard).toMatch(/^H\d+(, H\d+)*$/)
    }
  })

  it('stands in the docs with exactly these bugs, as they are described here', () => {
    const page = readFileSync(
      fileURLToPath(new URL('../../../../docs/reference/seeded-bugs.md', import.meta.url)),
      'utf8',
    )
    const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (.+?) \| (H[H\d, ]+) \| \w+ \| (\d+|not found) \|/gm)]
    expect(rows.map(([, name]) => name)).toEqual(bugNames())
    for (const [, name = '', description, hazard] of rows) {
      expect({ description, hazard }).toEqual({ description: BUGS[name]?.description, hazard: BUGS[name]?.hazard })
    }
  })

  it('gives the median and the worst of several hunts, and the checks by how often they found it', () => {
    const [bug = ''] = bugNames()
    const results = [result(bug, 9), { ...result(bug, 1), check: 'step' as const }, result(bug, 4)]
    const [row] = rowsOf([bug], results)
    expect(row).toEqual({ bug, isFound: true, seeds: [1, 4, 9], checks: ['liveness', 'step'] })
    expect(textTable(row === undefined ? [] : [row])).toMatch(/4 \(worst 9\)\s+liveness, step/)
    expect(markdownTable(row === undefined ? [] : [row], 'Here.')).toContain('| 4 | 9 | liveness, step |')
  })

  it('counts a bug as found only if every hunt found it', () => {
    const [one = '', other = ''] = bugNames()
    const rows = rowsOf([one, other], [result(one, 3), result(one, null), result(other, 7)])
    expect(rows.map(({ isFound }) => isFound)).toEqual([false, true])
    expect(summaryLine(rows)).toBe('bugs=2 found=1 worstSeeds=7')
    expect(markdownTable(rows, 'Here.')).toContain('| not found | not found |')
  })

  it('is written between its markers, and nowhere else', () => {
    const page = 'before\n<!-- begin: npm run bugs -->\nold\n<!-- end: npm run bugs -->\nafter\n'
    expect(withTable(page, 'new')).toBe(page.replace('old', 'new'))
    expect(withTable('before\n<!-- end: npm run bugs -->\n', 'new')).toBeNull()
    expect(withTable('nothing', 'new')).toBeNull()
  })
})
