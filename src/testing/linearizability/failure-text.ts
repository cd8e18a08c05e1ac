// A window as the lines that a person reads: who, when, what, and what came back.
import { inspect } from 'node:util'
import type { Operation } from '../report.js'
import { outputOf } from './effects.js'
import type { LinearizabilityModel } from './model.js'

/** Most operations that are printed; of more the last ones are. */
const MAX_LINES = 60

export interface IllegalWindow<Input, Output> {
  readonly key: string
  /** By invocation. */
  readonly window: readonly Operation<Input, Output>[]
  /** The first to return that no order explains. */
  readonly culprit: Operation<Input, Output>
  /** Answered operations of the key. */
  readonly total: number
}

/** One line that says what is wrong, and one for each operation: client, invoked-returned, operation and output. */
export function failureText<State, Input, Output>(
  model: LinearizabilityModel<State, Input, Output>,
  { key, window, culprit, total }: IllegalWindow<Input, Output>,
): string {
  const name = key === '' ? 'the history' : `key ${JSON.stringify(key)}`
  const which = `${window.length} of ${total} answered operations`
  const lines = [`${name} is not linearizable: no order of these (${which}) explains their answers`]
  const shown = window.slice(-MAX_LINES)
  if (shown.length < window.length) lines.push(`  (${window.length - shown.length} earlier operations are left out)`)
  const clientWidth = Math.max(...shown.map(({ client }) => String(client).length))
  const timeWidth = Math.max(...shown.map((operation) => timeOf(operation).length))
  for (const operation of shown) {
    const { client, input } = operation
    const who = String(client).padStart(clientWidth)
    const mark = operation === culprit ? '   <- the first answer that no order explains' : ''
    const what = model.describe?.(input, outputOf(operation)) ?? described(input, outputOf(operation))
    lines.push(`  client ${who}  ${timeOf(operation).padEnd(timeWidth)} ms  ${what}${mark}`)
  }
  return lines.join('\n')
}

function timeOf({ invokedMs, returnedMs }: Operation<unknown, unknown>): string {
  return `${invokedMs}-${returnedMs}`
}

function described(input: unknown, output: unknown): string {
  const compact = { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 4 }
  return `${inspect(input, compact)} -> ${inspect(output, compact)}`
}
