// The example that elects a scheduler, as a program: real processes, killed and paused, and no run happens twice.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../examples/leader-election/dist/main.js', import.meta.url))

describe('the example of leader election', () => {
  it('goes on under each next leader, and runs nothing twice', async () => {
    // Rejects unless the program exits with 0.
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    const lines = stdout.trimEnd().split('\n')
    const faults = ['kill', 'pause', 'kill', 'pause']
    expect(lines.slice(0, -1)).toEqual(faults.map((fault) => expect.stringMatching(`^n[123] leads: ${fault} it$`)))
    const [, begun, ran, ended] = /^(\d+) runs begun, (\d+) ran, (\d+) to their end: none ran twice$/.exec(
      lines.at(-1)!,
    )!
    // Eight before each fault and after the last one.
    expect(Number(ran)).toBeGreaterThanOrEqual(40)
    expect(Number(begun)).toBeGreaterThanOrEqual(Number(ran))
    expect(Number(ended)).toBeLessThanOrEqual(Number(ran))
  }, 90_000)
})
