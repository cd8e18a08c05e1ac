// The runs that were the first to do something: together they do all that a long run must do, in a short time.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CORPUS_HEADER, formatCorpus, parseCorpus } from '../../src/testing/corpus.js'
import { REQUIRED_BUCKETS } from '../../src/testing/required-coverage.js'
import { runSeed } from '../../src/testing/run-seed.js'

const text = readFileSync(new URL('corpus.txt', import.meta.url), 'utf8')
const renew = 'if the simulator changed: npm run sim -- --seeds 1000 --corpus test/simulation/corpus.txt'

describe('the corpus', () => {
  it('breaks nothing, serves again after each run, and comes by everything that is required', async () => {
    const hit = new Set<string>()
    for (const seed of parseCorpus(text).keys()) {
      const { violation, coverage } = await runSeed(seed)
      expect(violation, `npm run sim -- --seed ${seed} --seeds 1`).toBeNull()
      for (const bucket of Object.keys(coverage)) hit.add(bucket)
    }
    expect(
      REQUIRED_BUCKETS.filter((bucket) => !hit.has(bucket)),
      renew,
    ).toEqual([])
  }, 300_000)

  it('reads what it writes, and refuses a line that is no entry', () => {
    const corpus = parseCorpus(text)
    expect(CORPUS_HEADER + formatCorpus(corpus)).toBe(text)
    expect(() => parseCorpus('12\n')).toThrow(/line 1 is no entry/)
    expect(() => parseCorpus('# words\nx fault.crash\n')).toThrow(/line 2 is no entry/)
  })
})
