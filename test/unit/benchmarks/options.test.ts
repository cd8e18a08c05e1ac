// What the benchmarks make of a command line and of their rounds; no figure is asserted.
import { describe, expect, it } from 'vitest'
import { parseCommandLine, UsageError } from '../../../benchmarks/src/options.js'
import { Latencies, median, summarize } from '../../../benchmarks/src/samples.js'

describe('the command line of the benchmarks', () => {
  it('has a default for everything but the name', () => {
    expect(parseCommandLine(['propose']).options).toEqual({
      rounds: 5,
      seconds: 2,
      warmUpSeconds: 2.5,
      stores: ['memory', 'level'],
      proposers: [1, 64, 256],
      commandBytes: 256,
      directory: 'data/bench',
      json: 'data/bench/propose.json',
    })
  })

  it('takes each value that it is given', () => {
    const given = ['--rounds', '3', '--seconds=0.5', '--stores', 'level', '--proposers', '2,4', '--directory', '/d']
    const { options } = parseCommandLine(['propose', ...given, '--bytes', '16', '--warm-up', '0', '--json', 'r.json'])
    expect(options).toEqual({
      rounds: 3,
      seconds: 0.5,
      warmUpSeconds: 0,
      stores: ['level'],
      proposers: [2, 4],
      commandBytes: 16,
      directory: '/d',
      json: 'r.json',
    })
  })

  it('knows the other benchmark, with its own', () => {
    const common = { commandBytes: 256, directory: 'data/bench', json: 'data/bench/catch-up.json' }
    const assumed = { store: 'level', writes: 1_000_000, keys: 1_000_000, seconds: 10, proposers: 16, ...common }
    expect(parseCommandLine(['catch-up'])).toEqual({ benchmark: 'catch-up', options: assumed })
    const given = [
      '--store',
      'memory',
      '--writes',
      '5',
      '--keys',
      '6',
      '--seconds',
      '7',
      '--proposers',
      '8',
      '--bytes',
      '9',
    ]
    const taken = { store: 'memory', writes: 5, keys: 6, seconds: 7, proposers: 8, commandBytes: 9 }
    expect(parseCommandLine(['catch-up', ...given]).options).toMatchObject(taken)
  })

  it.each([
    { args: ['catch-up', '--rounds', '3'], says: /catch-up has no option --rounds/ },
    { args: ['propose', '--keys', '3'], says: /propose has no option --keys/ },
    { args: ['catch-up', '--store', 'wal'], says: /--store has 'wal'/ },
    { args: [], says: /no benchmark was named/ },
    { args: ['read'], says: /there is no benchmark 'read'/ },
    { args: ['propose', 'more'], says: /unexpected argument 'more'/ },
    { args: ['propose', '--round', '3'], says: /--round/ },
    { args: ['propose', '--rounds', '2'], says: /--rounds is '2': it must be a whole number from 3/ },
    { args: ['propose', '--rounds', '3.5'], says: /--rounds is '3.5'/ },
    { args: ['propose', '--seconds', 'x'], says: /--seconds is 'x': it must be a number/ },
    { args: ['propose', '--stores', 'wal'], says: /--stores has 'wal'/ },
    { args: ['propose', '--proposers', ''], says: /--proposers is empty/ },
    { args: ['propose', '--bytes', ' '], says: /--bytes is ' '/ },
  ])('refuses $args and says why', ({ args, says }) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError)
    expect(() => parseCommandLine(args)).toThrow(says)
  })
})

describe('the figures of a benchmark', () => {
  it('are medians, with the lowest and the highest round beside them', () => {
    const rounds = [5, 1, 9].map((perSecond) => ({ perSecond, p50Us: perSecond * 2, p99Us: perSecond * 3 }))
    expect(summarize(rounds)).toEqual({ perSecond: 5, p50Us: 10, p99Us: 15, spread: [1, 9], rounds })
    expect(median([4, 2, 8, 6])).toBe(5)
  })

  it('count what was recorded in the time that it took', () => {
    const latencies = new Latencies()
    for (let count = 0; count < 10; count++) latencies.record(performance.now() - 1)
    const { perSecond, p50Us, p99Us } = latencies.measured(500)
    expect(perSecond).toBe(20)
    expect(p50Us).toBeGreaterThanOrEqual(999)
    expect(p99Us).toBeGreaterThanOrEqual(p50Us)
  })
})
