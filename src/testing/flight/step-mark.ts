// 32 bits about a core after a step: every plain field of its state and of the Output, how large each collection is, and what
// stands last in it. Cheap enough for each step; of two cores that went different ways it differs at once or within a few
// steps. The whole state is compared by `hashOf`, now and then. Fields that are added later are in it by themselves.
import type { CoreState, Output } from '../../core/index.js'

/** Collections that are no larger are looked at item by item: the progress of the peers above all. */
const SMALL_SIZE = 8

/** Texts that are hashed once. */
const MAX_KNOWN_TEXTS = 1_024
const knownTexts = new Map<string, number>()
const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

/** The mark of a state and of the Output that its last event was stepped with; null when it was none. */
export function stepMark(state: CoreState, output: Output | null): number {
  const hash = mixFields(0x811c9dc5, state, 2)
  return (output === null ? hash : mixFields(hash, output, 3)) >>> 0
}

function mixFields(start: number, value: object, depth: number): number {
  let hash = start
  for (const name in value) hash = mix(hash, (value as Readonly<Record<string, unknown>>)[name], depth)
  return hash
}

function mix(hash: number, value: unknown, depth: number): number {
  switch (typeof value) {
    case 'number':
      return mixNumber(hash, value)
    case 'string':
      return mixWord(hash, wordOf(value))
    case 'object':
      return value === null ? mixWord(hash, 1) : mixObject(hash, value, depth)
    default:
      // Nobody tells a field that is undefined from one that is not there.
      return value === undefined ? hash : mixWord(hash, value === true ? 3 : 4)
  }
}

function mixObject(hash: number, value: object, depth: number): number {
  if (value instanceof Uint8Array) return mixWord(hash, value.length)
  if (Array.isArray(value)) {
    const sized = mixWord(hash, value.length)
    return depth > 0 && value.length > 0 ? mix(sized, value[value.length - 1], depth - 1) : sized
  }
  if (value instanceof Map || value instanceof Set) {
    let mixed = mixWord(hash, value.size)
    if (depth > 0 && value.size <= SMALL_SIZE) for (const item of value.values()) mixed = mix(mixed, item, depth - 1)
    return mixed
  }
  return depth > 0 ? mixFields(hash, value, depth - 1) : hash
}

function mixNumber(hash: number, value: number): number {
  if (value === (value | 0)) return mixWord(hash, value)
  float[0] = value
  return mixWord(mixWord(hash, words[0] as number), words[1] as number)
}

function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x01000193)
  return mixed ^ (mixed >>> 15)
}

function wordOf(text: string): number {
  const known = knownTexts.get(text)
  if (known !== undefined) return known
  let word = 0x811c9dc5
  for (let at = 0; at < text.length; at++) word = Math.imul(word ^ text.charCodeAt(at), 0x01000193)
  if (text.length <= 64 && knownTexts.size < MAX_KNOWN_TEXTS) knownTexts.set(text, word)
  return word
}
