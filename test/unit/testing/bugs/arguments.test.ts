import { describe, expect, it } from 'vitest'
import { parseBugsArguments } from '../../../../src/testing/bugs/bugs-arguments.js'
import { bugNames } from '../../../../src/testing/bugs/index.js'
import { UsageError } from '../../../../src/testing/sim-arguments.js'

describe('parseBugsArguments', () => {
  it('hunts all bugs from seed 1 on, once, with at most 2000 seeds unless told otherwise', () => {
    const all = { bugs: bugNames(), firstSeed: 1n, maxSeeds: 2000, repeats: 1, markdownFile: undefined }
    expect(parseBugsArguments([])).toEqual({ ...all, wantsHelp: false })
    expect(parseBugsArguments(['--bug', 'commit-old-term', '--bug', 'truncate-always', '--seed', '9'])).toMatchObject({
      bugs: ['commit-old-term', 'truncate-always'],
      firstSeed: 9n,
    })
    expect(parseBugsArguments(['--max-seeds', '5', '--repeats', '3', '--markdown', 'f'])).toMatchObject({
      maxSeeds: 5,
      repeats: 3,
      markdownFile: 'f',
    })
  })

  it.each([
    [['--bug', 'toString'], /--bug is 'toString': known are .*commit-old-term/],
    [['--max-seeds', '0'], /--max-seeds is '0'/],
    [['--max-seeds', '1000001'], /--max-seeds is '1000001'/],
    [['--repeats', '1.5'], /--repeats is '1.5'/],
    [['--seed', '-1'], /--seed/],
    [['--seed', '18446744073709551615', '--max-seeds', '2'], /beyond the last seed/],
    [['--bug', 'commit-old-term', '--markdown', 'f'], /table of all bugs/],
    [['--speed', '9'], /--speed/],
    [['everything'], /everything/],
  ])('refuses %j and names it', (argv, message) => {
    expect(() => parseBugsArguments(argv)).toThrow(UsageError)
    expect(() => parseBugsArguments(argv)).toThrow(message)
  })
})
