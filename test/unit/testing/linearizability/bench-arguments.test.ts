import { describe, expect, it } from 'vitest'
import { parseBenchArguments } from '../../../../src/testing/linearizability/bench-arguments.js'
import { UsageError } from '../../../../src/testing/sim-arguments.js'

describe('parseBenchArguments', () => {
  it('checks a million operations of seed 1 unless told otherwise', () => {
    expect(parseBenchArguments([])).toEqual({ operationCount: 1_000_000, seed: 1n, wantsHelp: false })
    expect(parseBenchArguments(['--operations', '10000', '--seed', '7'])).toMatchObject({
      operationCount: 10_000,
      seed: 7n,
    })
  })

  it.each([
    [['--operations', '9999'], /--operations is '9999'/],
    [['--operations', '10000001'], /--operations is '10000001'/],
    [['--operations', '1e6'], /--operations is '1e6'/],
    [['--seed', '18446744073709551616'], /--seed is/],
    [['--speed', '9'], /--speed/],
  ])('refuses %j and names it', (argv, message) => {
    expect(() => parseBenchArguments(argv)).toThrow(UsageError)
    expect(() => parseBenchArguments(argv)).toThrow(message)
  })
})
