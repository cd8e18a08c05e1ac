// The quick start, run as it stands in the file that the documentation points to.
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'

const program = new URL('../../examples/quickstart/src/main.ts', import.meta.url)

describe('the quick start', () => {
  it('elects a leader, writes on every node, and goes on when the leader leaves', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      await import(/* @vite-ignore */ program.href)
      const printed = log.mock.calls.map(([line]) => String(line))
      const rest = String.raw`(ann|bob|cid)`
      expect(printed).toHaveLength(6)
      expect(printed[0]).toMatch(/^ann wrote entry \d+; before it was null$/)
      expect(printed[1]).toMatch(/^bob wrote entry \d+; before it was hello from ann$/)
      expect(printed[2]).toMatch(/^cid wrote entry \d+; before it was hello from bob$/)
      expect(printed[3]).toBe('the leader left')
      expect(printed[4]).toMatch(new RegExp(`^${rest} reads: hello from cid$`))
      expect(printed[5]).toMatch(new RegExp(`^${rest} reads: still here, says ${printed[4]?.split(' ')[0]}$`))
    } finally {
      log.mockRestore()
    }
  })

  it('fits on a screen', () => {
    expect(readFileSync(program, 'utf8').split('\n').length).toBeLessThanOrEqual(60)
  })
})
