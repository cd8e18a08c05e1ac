// The corpus: a text file of the seeds whose runs were the first to hit some bucket of the coverage, one a line with those
// buckets. A short run over them does nearly everything that a long run does.

/** Opens each corpus file. */
export const CORPUS_HEADER =
  '# Seeds that were the first to hit some bucket of the coverage, and which; made by `npm run sim -- --corpus FILE`.\n'

export function formatCorpus(firstHits: ReadonlyMap<bigint, readonly string[]>): string {
  return [...firstHits].map(([seed, buckets]) => `${seed} ${buckets.join(' ')}\n`).join('')
}

/** @throws RangeError that names the line which is no entry of a corpus */
export function parseCorpus(text: string): ReadonlyMap<bigint, readonly string[]> {
  const firstHits = new Map<bigint, readonly string[]>()
  text.split('\n').forEach((line, at) => {
    if (line === '' || line.startsWith('#')) return
    const [seed = '', ...buckets] = line.split(' ')
    if (!/^\d{1,20}$/.test(seed) || buckets.length === 0) {
      throw new RangeError(`line ${at + 1} is no entry of a corpus: a seed and what it hit first, with a space between`)
    }
    firstHits.set(BigInt(seed), buckets)
  })
  return firstHits
}
