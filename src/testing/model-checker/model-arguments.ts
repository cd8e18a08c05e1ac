// The command line of `npm run modelcheck`: what it takes, and one clear line for everything that it doesn't.
import { parseArgs } from 'node:util'
import { UsageError } from '../sim-arguments.js'
import { guardNamed, removedGuardNames } from './removed-guards.js'
import type { Model } from './model.js'
import { DEEP_MODELS, findModel, MODELS } from './models.js'

export interface ModelArguments {
  readonly models: readonly Model[]
  /** Name of the guard that is removed. */
  readonly bug: string | undefined
  readonly wantsHelp: boolean
}

const ALL_NAMES: readonly string[] = [...MODELS, ...DEEP_MODELS].map(({ name }) => name)

export const MODEL_USAGE: string = `usage: npm run modelcheck -- [--deep] [--model NAME]... [--bug NAME]
  --deep         the larger models too
  --model NAME   only this one; may be given more than once: ${ALL_NAMES.join(', ')}
  --bug NAME     with this guard removed, in the model that finds it unless --model is given:
                 ${removedGuardNames().join(', ')}`

/** @throws UsageError that names the argument and the value */
export function parseModelArguments(argv: readonly string[]): ModelArguments {
  const { deep = false, model: names = [], bug, help: wantsHelp = false } = parse(argv)
  const guard = bug === undefined ? null : guardNamed(bug)
  if (bug !== undefined && guard === null) {
    throw new UsageError(`--bug is '${bug}': known are ${removedGuardNames().join(', ')}`)
  }
  if (deep && names.length > 0) throw new UsageError('--deep and --model exclude each other')
  const known = guard?.model ?? null
  const wanted = names.length === 0 && known !== null && !deep ? [known] : names
  if (wanted.length > 0) return { models: wanted.map(modelNamed), bug, wantsHelp }
  return { models: deep ? [...MODELS, ...DEEP_MODELS] : MODELS, bug, wantsHelp }
}

function modelNamed(name: string): Model {
  const model = findModel(name)
  if (model === undefined) throw new UsageError(`--model is '${name}': known are ${ALL_NAMES.join(', ')}`)
  return model
}

interface RawArguments {
  readonly deep?: boolean | undefined
  readonly model?: string[] | undefined
  readonly bug?: string | undefined
  readonly help?: boolean | undefined
}

function parse(argv: readonly string[]): RawArguments {
  const options = {
    deep: { type: 'boolean' },
    model: { type: 'string', multiple: true },
    bug: { type: 'string' },
    help: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
