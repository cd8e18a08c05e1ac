// A value as the text of a JavaScript literal, so that what failed can be pasted into a test: plain data, bytes, maps, sets,
// dates and bigints. Anything else becomes a comment that says what stood there.

/** Deepest nesting that is printed. */
const MAX_DEPTH = 32

export function literalOf(value: unknown, depth: number = 0): string {
  if (depth > MAX_DEPTH) return 'null /* too deep */'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function' || typeof value === 'symbol') return `undefined /* a ${typeof value} */`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  const list = (items: Iterable<unknown>): string => [...items].map((item) => literalOf(item, depth + 1)).join(', ')
  if (value instanceof Uint8Array) return `Uint8Array.of(${value.join(', ')})`
  if (Array.isArray(value)) return `[${list(value)}]`
  if (value instanceof Map) return `new Map([${list(value)}])`
  if (value instanceof Set) return `new Set([${list(value)}])`
  if (value instanceof Date) return `new Date(${value.getTime()})`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  const texts = fields.map(([name, field]) => `${nameOf(name)}: ${literalOf(field, depth + 1)}`)
  return texts.length === 0 ? '{}' : `{ ${texts.join(', ')} }`
}

function nameOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : `[${JSON.stringify(name)}]`
}
