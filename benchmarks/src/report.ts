// A report as a table of Markdown, so that it can be pasted beside its conditions.
import type { CatchUpReport } from './catch-up.js'
import type { Conditions } from './conditions.js'
import type { Load } from './load.js'
import type { ProposeReport, Variant } from './propose.js'
import type { Summary } from './samples.js'

export function proposeTable(report: ProposeReport): string {
  const { conditions, options, anchors, variants } = report
  return [
    where(conditions),
    `three processes on one machine, the load in the leader's; ${options.commandBytes} B a command; medians of ${options.rounds} rounds of ${options.seconds} s`,
    '',
    ...rows([
      ['anchor', 'operations/s', 'p50 µs', 'p99 µs', 'lowest..highest operations/s'],
      ['A: durable write, recycled file, O_DSYNC', ...figures(anchors.durableWrite)],
      ['durable write, growing file, fdatasync', ...figures(anchors.growingWrite)],
      ['R: round trip over loopback', ...figures(anchors.roundTrip)],
      ['the load alone, 64 callers', ...figures(anchors.generator)],
    ]),
    '',
    ...rows([
      [
        'store',
        'proposers',
        'operations/s',
        'p50 µs',
        'p99 µs',
        'lowest..highest operations/s',
        'p50 in A + R',
        'failed',
      ],
      ...variants.map((variant) => variantRow(variant, anchors)),
    ]),
  ].join('\n')
}

export function catchUpTable(report: CatchUpReport): string {
  const { conditions, options, before, during, after, extraBytes, stateBytes } = report
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
  const ratio = (load: Load, against: Load) => `${(load.p99Us / against.p99Us).toFixed(2)} ×`
  return [
    where(conditions),
    `three processes on one machine, ${options.store} store, ${options.proposers} proposers in the leader's, ${options.commandBytes} B a value`,
    `one node missed ${report.missedWrites} writes to ${options.keys} keys, and caught up in ${report.catchUpSeconds.toFixed(1)} s ${report.isBySnapshot ? 'by a snapshot' : 'by the log'}`,
    `elections meanwhile: ${report.elections}; memory: the leader ${mib(extraBytes.leader)} more than before, the node ${mib(extraBytes.node)} beside its state of ${mib(stateBytes)}`,
    '',
    ...rows([
      ['measured', 'operations/s', 'p50 µs', 'p99 µs', 'p99 against before', 'against after', 'failed'],
      ...(
        [
          ['before, without it', before],
          ['while it catches up', during],
          ['after, with it', after],
        ] as const
      ).map(([what, load]) => {
        const { perSecond, p50Us, p99Us, failed } = load
        const ratios = [ratio(load, before), ratio(load, after)]
        return [what, perSecond.toFixed(0), p50Us.toFixed(0), p99Us.toFixed(0), ...ratios, String(failed)]
      }),
    ]),
  ].join('\n')
}

function where({ machine, node, commit, date }: Conditions): string {
  return `${machine}; Node ${node}; commit ${commit}; ${date}`
}

/** One proposal alone costs at least a round trip, and with a disk a durable write. */
function variantRow(variant: Variant, { durableWrite, roundTrip }: ProposeReport['anchors']): readonly string[] {
  const leastUs = roundTrip.p50Us + (variant.store === 'memory' ? 0 : durableWrite.p50Us)
  const bare = variant.store === 'memory' ? 'R' : 'A + R'
  const ratio = `${(variant.p50Us / leastUs).toFixed(1)} × ${bare}`
  return [variant.store, String(variant.proposers), ...figures(variant), ratio, String(variant.failed)]
}

function figures({ perSecond, p50Us, p99Us, spread: [lowest, highest] }: Summary): readonly string[] {
  const us = (value: number) => (value < 100 ? value.toFixed(1) : value.toFixed(0))
  return [perSecond.toFixed(0), us(p50Us), us(p99Us), `${lowest.toFixed(0)}..${highest.toFixed(0)}`]
}

function rows(cells: readonly (readonly string[])[]): readonly string[] {
  const [head = [], ...body] = cells
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)]
}
