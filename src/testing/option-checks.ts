// How the testing subpath refuses what it can't work with: before anything runs, with the name of the option, the value
// and what to use in its place. Knows no option by itself.
import { RaftError } from '../errors.js'

/** @throws RaftError RAFT_INVALID_OPTION, always */
export function refuse(message: string): never {
  throw new RaftError('RAFT_INVALID_OPTION', message)
}

/** A value as a message has it: short, and told apart from others that print alike. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** @throws RaftError RAFT_INVALID_OPTION: it is no object */
export function checkObject(name: string, value: unknown, use: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  return refuse(`${name} is ${show(value)}: use ${use}`)
}

/** Own properties that nobody reads are misspelled ones. @throws RaftError RAFT_INVALID_OPTION */
export function checkKeys(name: string, value: object, known: readonly string[]): void {
  for (const [key, found] of Object.entries(value)) {
    if (found !== undefined && !known.includes(key)) refuse(`${name} has no '${key}': it has ${known.join(', ')}`)
  }
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function checkArray(name: string, value: unknown, use: string): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : refuse(`${name} is ${show(value)}: use ${use}`)
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function checkFunction(name: string, value: unknown, use: string): void {
  if (typeof value !== 'function') refuse(`${name} is ${show(value)}: use ${use}`)
}

/** Of fast-check, any copy of it. @throws RaftError RAFT_INVALID_OPTION */
export function checkArbitrary(name: string, value: unknown): void {
  const methods = value as Partial<Record<'generate' | 'map', unknown>> | null | undefined
  if (typeof methods?.generate === 'function' && typeof methods.map === 'function') return
  refuse(`${name} is ${show(value)}: use an arbitrary of fast-check, fc.integer() for one`)
}

/** @throws RaftError RAFT_INVALID_OPTION: it lacks one of them */
export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  const holder = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  if (holder === null) refuse(`${name} is ${show(value)}: use an object with ${methods.join(', ')}`)
  for (const method of methods) {
    if (typeof holder[method] !== 'function')
      refuse(`${name} has no method '${method}': it needs ${methods.join(', ')}`)
  }
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') refuse(`${name} is ${show(value)}: use true or false`)
}

/** A number of ms: a time of the simulation, or how long something lasts. @throws RaftError RAFT_INVALID_OPTION */
export function checkMs(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value
  return refuse(`${name} is ${show(value)}: use a number of ms from 0 on`)
}

/** A share of all. @throws RaftError RAFT_INVALID_OPTION */
export function checkRatio(name: string, value: unknown): void {
  if (!(typeof value === 'number' && value >= 0 && value <= 1))
    refuse(`${name} is ${show(value)}: use a number from 0 to 1`)
}

/** @throws RaftError RAFT_INVALID_OPTION */
export function checkCount(name: string, value: unknown, min: number): void {
  if (!(Number.isSafeInteger(value) && (value as number) >= min)) {
    refuse(`${name} is ${show(value)}: use a whole number from ${min} on`)
  }
}
