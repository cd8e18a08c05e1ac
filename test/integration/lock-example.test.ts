// The example of locks with fencing tokens, as a program: it ends with 0 only if the late write was refused.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../examples/lock/dist/main.js', import.meta.url))

describe('the example of a lock', () => {
  it('gives a repeated call the same token, and refuses the write of a holder that woke up late', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    const lines = stdout.trimEnd().split('\n')
    const [, token] = /^ann holds the lock under token (\d+)$/.exec(lines[0]!)!
    expect(lines[1]).toBe(`ann repeats the call on another node, and gets the same token ${token}: it is one call`)
    expect(lines[3]).toBe('ann wakes up, believes that she holds the lock, and writes: refused')
    expect(lines[4]).toBe("storage holds 'by bob': no late write was taken")
  })
})
