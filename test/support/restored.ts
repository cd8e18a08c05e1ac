// What a core begins with after a crash, from what was durable.
import type { RestoredState, Term } from 'helios-raft/core'
import type { Durable, NodeOptions } from './core-node.js'

export function restoredFrom(durable: Durable, options: NodeOptions): RestoredState {
  const { hardState, baseIndex, baseTerm, log, lastIncludedIndex, leasePromiseMs } = durable
  const termRuns: { first: number; term: Term }[] = []
  for (const { index, term } of log) if (termRuns.at(-1)?.term !== term) termRuns.push({ first: index, term })
  return {
    hardState,
    firstIndex: baseIndex + 1,
    lastIndex: baseIndex + log.length,
    previousTerm: baseTerm,
    termRuns,
    logTime: log.at(-1)?.timestamp ?? 0,
    lastIncludedIndex,
    leasePromiseMs,
    configuration: configurationFrom(durable, options),
    configurationEntries: log.filter(({ type }) => type === 'configuration'),
  }
}

function configurationFrom({ snapshot, baseIndex }: Durable, options: NodeOptions): RestoredState['configuration'] {
  if (snapshot !== undefined) return { index: snapshot.configurationIndex, configuration: snapshot.configuration }
  return options.configuration === null ? null : { index: baseIndex, configuration: options.configuration }
}
