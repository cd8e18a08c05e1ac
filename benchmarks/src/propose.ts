// How many proposals a second, and how long each takes: three processes on this machine, over TCP, without and with a
// disk, beside what the disk and the loopback can do at all. Every round measures everything once, in alternating order.
import { type Anchors, measureAnchors } from './anchors.js'
import { Cluster } from './cluster.js'
import { type Conditions, conditions } from './conditions.js'
import type { Load } from './load.js'
import type { ProposeOptions, Store } from './options.js'
import { type Measured, type Summary, summarize } from './samples.js'

const NODES = 3
const ANCHOR_SECONDS = 0.5

export interface Variant extends Summary {
  readonly store: Store
  readonly proposers: number
  readonly failed: number
}

export interface ProposeReport {
  readonly benchmark: 'propose'
  readonly conditions: Conditions
  readonly options: ProposeOptions
  readonly anchors: { readonly [A in keyof Anchors]: Summary }
  readonly variants: readonly Variant[]
}

type Taken = { readonly store: Store; readonly proposers: number; readonly load: Load }

export async function proposeBenchmark(
  options: ProposeOptions,
  progress: (line: string) => void,
): Promise<ProposeReport> {
  const anchors: Anchors[] = []
  const taken: Taken[] = []
  for (let round = 1; round <= options.rounds; round += 1) {
    const { directory, commandBytes: sizeBytes } = options
    anchors.push(await measureAnchors({ directory, sizeBytes, seconds: ANCHOR_SECONDS }))
    for (const store of alternated(options.stores, round)) {
      progress(`round ${round} of ${options.rounds}: ${NODES} processes, ${store} store`)
      for (const each of await measureStore(options, store, round)) {
        taken.push(each)
        const { failed, failure } = each.load
        if (failure !== null)
          progress(`${failed} of ${each.proposers} proposers' calls failed, the first with: ${failure}`)
      }
    }
  }
  return {
    benchmark: 'propose',
    conditions: conditions(),
    options,
    anchors: summarizeAnchors(anchors),
    variants: options.stores.flatMap((store) =>
      options.proposers.map((proposers) => summarizeVariant(taken, store, proposers)),
    ),
  }
}

function alternated<T>(values: readonly T[], round: number): readonly T[] {
  return round % 2 === 1 ? values : values.toReversed()
}

async function measureStore(options: ProposeOptions, store: Store, round: number): Promise<readonly Taken[]> {
  const { directory, seconds, commandBytes, warmUpSeconds } = options
  await using cluster = await Cluster.start({ nodes: NODES, store, directory })
  await cluster.load({ proposers: 16, seconds: warmUpSeconds, commandBytes })
  const taken: Taken[] = []
  for (const proposers of alternated(options.proposers, round)) {
    taken.push({ store, proposers, load: await cluster.load({ proposers, seconds, commandBytes }) })
  }
  return taken
}

function summarizeVariant(taken: readonly Taken[], store: Store, proposers: number): Variant {
  const loads = taken.filter((each) => each.store === store && each.proposers === proposers).map(({ load }) => load)
  const failed = loads.reduce((sum, load) => sum + load.failed, 0)
  return { store, proposers, failed, ...summarize(loads) }
}

function summarizeAnchors(rounds: readonly Anchors[]): ProposeReport['anchors'] {
  const of = (pick: (anchors: Anchors) => Measured) => summarize(rounds.map(pick))
  return {
    durableWrite: of(({ durableWrite }) => durableWrite),
    growingWrite: of(({ growingWrite }) => growingWrite),
    roundTrip: of(({ roundTrip }) => roundTrip),
    generator: of(({ generator }) => generator),
  }
}
