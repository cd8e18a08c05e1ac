// Runs every golden script of this folder and compares. `UPDATE_SCRIPTS=1` writes what happens now instead: read the
// difference as text before it is kept.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/script.js'

const folder = new URL('.', import.meta.url)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.txt') && name !== 'scenario-names.txt')

describe('golden scripts', () => {
  for (const name of scripts) {
    const file = new URL(name, folder)
    const script = readFileSync(file, 'utf8')
    const [title = name] = script.split('\n')

    it(`${name}: ${title.replace(/^# /, '')}`, () => {
      const now = runScript(script)
      if (process.env['UPDATE_SCRIPTS'] === '1') writeFileSync(file, now)
      else expect(now).toBe(script)
    })
  }

  it('are there, begin with a title, and never end in a violation', () => {
    expect(scripts.length).toBeGreaterThan(10)
    for (const name of scripts) {
      const script = readFileSync(new URL(name, folder), 'utf8')
      expect(script.startsWith('# '), name).toBe(true)
      expect(script, name).not.toMatch(/Violation|Error/)
    }
  })
})
