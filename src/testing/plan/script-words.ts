// The words of a simulation script: one line for one fault or one call, as `name=value` behind its time. Printing and
// reading are here together, so that neither knows a word that the other doesn't.
import { type Fault, FAULT_TYPES, type FaultKind } from '../fault-plan.js'
import type { PlannedCall, PlannedCommand } from './plan.js'

/** What a line says that can't be understood: what was expected instead. */
export class ScriptWordError extends Error {
  override readonly name = 'ScriptWordError'
}

type FieldKind = 'node' | 'nodes' | 'members' | 'suffrage' | 'groups' | 'number' | 'range'
type FieldNames<Kind> = Kind extends unknown ? Exclude<keyof Kind, 'type'> : never

const ASKED = { via: ['node'], timeoutMs: ['number'] } as const

/** Fields of each type of fault; a kind in brackets may be missing. */
const FAULT_FIELDS: {
  readonly [Type in FaultKind['type']]: Readonly<
    Record<FieldNames<Extract<FaultKind, { type: Type }>>, FieldKind | readonly [FieldKind]>
  >
} = {
  crash: { node: 'node', afterEffects: ['number'] },
  restart: { node: 'node' },
  stop: { node: 'node' },
  transfer: { node: 'node', to: ['node'] },
  snapshot: { node: 'node' },
  add: { node: 'node', suffrage: ['suffrage'], ...ASKED },
  promote: { node: 'node', ...ASKED },
  demote: { node: 'node', ...ASKED },
  remove: { node: 'node', ...ASKED },
  members: { voters: 'members', learners: ['members'], ...ASKED },
  resume: { node: 'node' },
  pause: { node: 'node', forMs: 'number' },
  suspend: { node: 'node', forMs: 'number' },
  partition: { groups: 'groups' },
  cut: { from: 'node', to: 'node' },
  clog: { from: 'node', to: 'node', forMs: 'number' },
  heal: {},
  reset: { nodes: 'nodes' },
  slowDisk: { node: 'node', writeMs: 'range' },
  failWrite: { node: 'node' },
  hangDisk: { node: 'node' },
  fullDisk: { node: 'node' },
  rotDisk: { node: 'node' },
  wipeDisk: { node: 'node' },
  clockRate: { node: 'node', ratio: 'number' },
  stranger: { node: 'node' },
  link: { lossRatio: 'number', duplicateRatio: 'number', latencyMs: 'range', damageRatio: ['number'] },
}

const NODE = /^(n[1-7]|leader)$/

/** Each kind as a text: how it is read, and what is expected where it can't be. */
const KINDS: Readonly<Record<FieldKind, { read: (text: string) => unknown; expected: string }>> = {
  node: { read: (text) => (NODE.test(text) ? text : undefined), expected: 'a node, as n1' },
  nodes: { read: (text) => pairOf(text.split(',')), expected: 'two nodes, as n1,n2' },
  members: { read: membersOf, expected: 'nodes, as n1,n2' },
  suffrage: { read: suffrageOf, expected: 'voter or learner' },
  groups: { read: groupsOf, expected: 'groups of nodes, as n1,n2|n3' },
  number: { read: numberOf, expected: 'a number' },
  range: { read: rangeOf, expected: 'two numbers, as 1..20' },
}

/** A fault behind its time. */
export function printFault({ atMs: _atMs, type, ...fields }: Fault): string {
  return [
    type,
    ...Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${print(value)}`])),
  ].join(' ')
}

/** @throws ScriptWordError */
export function parseFault(words: readonly string[], atMs: number): Fault {
  const [type, ...rest] = words
  const known = FAULT_TYPES.find((one) => one === type)
  if (known === undefined)
    throw new ScriptWordError(`call, or a fault (${FAULT_TYPES.join(', ')}), not '${type ?? ''}'`)
  const kinds = Object.entries(FAULT_FIELDS[known]) as (readonly [string, FieldKind | readonly [FieldKind]])[]
  const given = fieldsOf(
    rest,
    kinds.map(([name]) => name),
  )
  const fault: Record<string, unknown> = { type: known, atMs }
  for (const [name, kind] of kinds) {
    const text = given.get(name)
    const isOptional = typeof kind !== 'string'
    if (text === undefined && isOptional) continue
    fault[name] = readField(name, text, isOptional ? kind[0] : kind)
  }
  return fault as unknown as Fault
}

/** A call behind its time. */
export function printCall({ on, client, timeoutMs, action }: PlannedCall): string {
  const common = `on=${on} client=${client} timeoutMs=${timeoutMs}`
  if (action.type === 'propose') {
    return `call ${common} propose=${action.commands.map(({ number, sizeBytes }) => `${number}/${sizeBytes}`).join(',')}`
  }
  const { consistency, minIndex, maxStalenessMs, isSlow } = action
  const least = minIndex === undefined ? '' : ` minIndex=${minIndex}`
  const stalest = maxStalenessMs === undefined ? '' : ` maxStalenessMs=${maxStalenessMs}`
  return `call ${common} read=${consistency}${least}${stalest}${isSlow ? ' slow=yes' : ''}`
}

/** @throws ScriptWordError */
export function parseCall(words: readonly string[], atMs: number): PlannedCall {
  const names = ['on', 'client', 'timeoutMs', 'propose', 'read', 'minIndex', 'maxStalenessMs', 'slow']
  const given = fieldsOf(words.slice(1), names)
  const number = (name: string): number => readField(name, given.get(name), 'number') as number
  const on = readField('on', given.get('on'), 'node') as string
  const common = { atMs, client: number('client'), on, timeoutMs: number('timeoutMs') }
  const [propose, read] = [given.get('propose'), given.get('read')]
  if ((propose === undefined) === (read === undefined)) throw new ScriptWordError('either propose=… or read=…')
  if (propose !== undefined) {
    return { ...common, action: { type: 'propose', commands: propose.split(',').map(commandOf) } }
  }
  if (read !== 'linearizable' && read !== 'lease' && read !== 'local') {
    throw new ScriptWordError(`read=linearizable, read=lease or read=local, not '${String(read)}'`)
  }
  const minIndex = given.has('minIndex') ? number('minIndex') : undefined
  const maxStalenessMs = given.has('maxStalenessMs') ? number('maxStalenessMs') : undefined
  return { ...common, action: { type: 'read', consistency: read, minIndex, maxStalenessMs, isSlow: given.has('slow') } }
}

/** @throws ScriptWordError */
export function parseTime(text: string | undefined): number {
  const atMs = numberOf(text ?? '')
  if (atMs === undefined || atMs < 0) throw new ScriptWordError(`a time in ms behind 'at', not '${text ?? ''}'`)
  return atMs
}

function fieldsOf(words: readonly string[], names: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const word of words) {
    const cut = word.indexOf('=')
    const name = word.slice(0, Math.max(0, cut))
    if (!names.includes(name))
      throw new ScriptWordError(`${names.map((known) => `${known}=…`).join(', ') || 'nothing more'}, not '${word}'`)
    if (fields.has(name)) throw new ScriptWordError(`${name}=… once`)
    fields.set(name, word.slice(cut + 1))
  }
  return fields
}

function readField(name: string, text: string | undefined, kind: FieldKind): unknown {
  const { read, expected } = KINDS[kind]
  const value = text === undefined ? undefined : read(text)
  if (value === undefined)
    throw new ScriptWordError(`${name}=… with ${expected}${text === undefined ? '' : `, not '${text}'`}`)
  return value
}

function print(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  if (value.every((item) => typeof item === 'number')) return value.join('..')
  return value.some((item) => Array.isArray(item))
    ? (value as string[][]).map((group) => group.join(',')).join('|')
    : value.join(',')
}

function numberOf(text: string): number | undefined {
  const value = Number(text)
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value
}

function rangeOf(text: string): readonly number[] | undefined {
  const numbers = text.split('..').map(numberOf)
  return numbers.length === 2 && numbers.every((value) => value !== undefined) ? (numbers as number[]) : undefined
}

function pairOf(ids: readonly string[]): readonly string[] | undefined {
  return ids.length === 2 && ids.every((id) => NODE.test(id)) ? ids : undefined
}

function membersOf(text: string): readonly string[] | undefined {
  const ids = text === '' ? [] : text.split(',')
  return ids.every((id) => NODE.test(id)) ? ids : undefined
}

function suffrageOf(text: string): string | undefined {
  return text === 'voter' || text === 'learner' ? text : undefined
}

function groupsOf(text: string): readonly (readonly string[])[] | undefined {
  const groups = text.split('|').map((group) => (group === '' ? [] : group.split(',')))
  return groups.flat().every((id) => NODE.test(id)) ? groups : undefined
}

function commandOf(text: string): PlannedCommand {
  const [number, sizeBytes, ...more] = text.split('/').map(Number)
  const isWhole = Number.isSafeInteger(number) && Number.isSafeInteger(sizeBytes) && more.length === 0
  if (number === undefined || sizeBytes === undefined || !isWhole || sizeBytes < 4) {
    throw new ScriptWordError(`propose=… with number/bytes, at least 4 bytes, separated by commas, not '${text}'`)
  }
  return { number, sizeBytes }
}
