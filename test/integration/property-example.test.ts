// The example of property testing, as a program: it finds exactly the planted bugs, with small counterexamples, and prints
// the same whenever it runs.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../examples/property-test/dist/main.js', import.meta.url))
const run = () => promisify(execFile)(process.execPath, [program])

describe('the example of property testing', () => {
  it('finds each planted bug with a small counterexample, nothing else, and the same again', async () => {
    const [{ stdout }, again] = await Promise.all([run(), run()])
    expect(again.stdout).toBe(stdout)
    const [right, byClock, withoutToken, lazily, last] = stdout.trimEnd().split('\n\n')
    expect(right).toBe('Locks: nothing found')
    expect(byClock).toMatch(
      /^LocksByWallClock: found by simulate\n.*(apply is not deterministic|state machines differ)/,
    )
    expect(byClock?.match(/"type":"propose"/g)).toHaveLength(1)
    expect(byClock).toContain('"faults":[]')
    expect(withoutToken).toMatch(/^LocksWithoutToken: found by testStateMachine\n.*restoring a snapshot of any moment/)
    expect(withoutToken?.match(/"lock"/g)).toHaveLength(2)
    expect(lazily).toMatch(/^LocksReadLazily: found by testStateMachine\n.*whatever is applied while it is pulled/)
    expect(lazily).toMatch(/"before":\[\],"during":\[\{[^{]+\}\]/)
    expect(last).toBe('machines=4 found=3 mistaken=0')
  }, 120_000)
})
