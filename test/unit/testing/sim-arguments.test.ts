import { describe, expect, it } from 'vitest'
import { parseSimArguments, UsageError } from '../../../src/testing/sim-arguments.js'

describe('parseSimArguments', () => {
  it('runs seeds S to S+N-1, a hundred from 1 on unless told otherwise', () => {
    expect(parseSimArguments([])).toMatchObject({ firstSeed: 1n, seedCount: 100, profile: 'default' })
    expect(parseSimArguments(['--seeds', '5', '--seed', '7'])).toMatchObject({ firstSeed: 7n, seedCount: 5 })
    expect(parseSimArguments(['--trace', 'f'])).toMatchObject({ seedCount: 1, traceFile: 'f' })
    expect(parseSimArguments(['--seed', '18446744073709551615', '--seeds', '1']).firstSeed).toBe(2n ** 64n - 1n)
  })

  it.each([
    [['--seeds', '0'], /--seeds is '0'/],
    [['--seeds', '10000001'], /--seeds is '10000001'/],
    [['--seeds', 'many'], /--seeds is 'many'/],
    [['--seed', '18446744073709551616'], /--seed is/],
    [['--seed', '18446744073709551615', '--seeds', '2'], /beyond the last seed/],
    [['--profile', 'sunshine'], /--profile is 'sunshine'/],
    [['--bug', 'toString'], /--bug is 'toString': known are .*commit-old-term/],
    [['--trace', 'f', '--seeds', '2'], /--trace writes one run/],
    [['--speed', '9'], /--speed/],
    [['everything'], /everything/],
  ])('refuses %j and names it', (argv, message) => {
    expect(() => parseSimArguments(argv)).toThrow(UsageError)
    expect(() => parseSimArguments(argv)).toThrow(message)
  })
})
