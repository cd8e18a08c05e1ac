// Runs every script of `scripts/`: runs of the simulator that failed once, with a bug or before a repair, made small by
// `npm run sim -- --shrink`. The library as it is must pass them all.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runPlan } from '../../src/testing/plan/script-commands.js'
import { parseScript } from '../../src/testing/plan/script.js'

const folder = new URL('scripts/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))

describe('scripts of the simulator', () => {
  it.each(names)('%s: nothing is violated', async (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    expect(text.startsWith('# '), 'it begins with what it is about').toBe(true)
    const { violation, events } = await runPlan(parseScript(text), undefined)
    expect(violation).toBeNull()
    expect(events).toBeGreaterThan(0)
  })

  it('are there', () => {
    expect(names.length).toBeGreaterThan(0)
  })
})
