// What a request to /kv asks for: key, body, conditions and read options, checked before the node hears of it.
import type { ReadConsistency, ReadOptions } from 'helios-raft'
import { copyBytes } from '../state-machine/bytes.js'
import type { ByteString, SetCommand, SetCondition } from '../state-machine/command.js'
import { MAX_EXPIRY_MS } from '../state-machine/command.js'
import { isReadConsistency, READ_CONSISTENCY_NAMES } from '../config/read-consistency.js'
import { parseDuration } from '../config/values.js'
import { badRequest } from './http-error.js'

const READ_PARAMETERS = new Set(['consistency', 'min_index', 'max_staleness'])

/** The key that stands percent-encoded behind `/kv/`, as the bytes of its UTF-8. */
export function keyOf(path: string): { readonly key: ByteString; readonly text: string } {
  const encoded = path.slice('/kv/'.length)
  let text: string
  try {
    text = decodeURIComponent(encoded)
  } catch {
    throw badRequest('the key is not percent-encoded UTF-8: encode each byte that is not a letter or digit as %XX')
  }
  if (text === '') throw badRequest('the key is empty: PUT /kv/KEY')
  return { key: Buffer.from(text).toString('latin1'), text }
}

/** The body of a PUT: raw bytes when it says so, else JSON whatever it says, so that plain `curl -d` works. */
export function valueOf(contentType: string, body: Uint8Array): Pick<SetCommand, 'value' | 'expiry'> {
  if (/^application\/octet-stream\b/i.test(contentType)) return { value: copyBytes(body), expiry: null }
  const parsed = parseJson(body)
  const unknown = Object.keys(parsed).find((name) => name !== 'value' && name !== 'ttl')
  if (unknown !== undefined) throw badRequest(`the body has an unknown field ${JSON.stringify(unknown)}`)
  const { value, ttl } = parsed
  if (typeof value !== 'string') throw badRequest('the body needs "value", a string: {"value":"…","ttl":"5m"}')
  if (ttl === undefined) return { value: copyBytes(Buffer.from(value)), expiry: null }
  const inMs = typeof ttl === 'string' ? parseDuration(ttl) : null
  if (inMs === null || inMs < 1 || inMs > MAX_EXPIRY_MS / 2) {
    throw badRequest(`"ttl" is ${JSON.stringify(ttl)}, but a duration like "500ms" or "5m" is needed`)
  }
  return { value: copyBytes(Buffer.from(value)), expiry: { inMs } }
}

/** If-Match and If-None-Match of a PUT. */
export function conditionOf(ifMatch: string | undefined, ifNoneMatch: string | undefined): SetCondition {
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw badRequest('If-Match and If-None-Match exclude each other: send one of them')
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return 'absent'
    throw badRequest('If-None-Match of a PUT can only be *')
  }
  if (ifMatch === undefined) return 'always'
  if (ifMatch.trim() === '*') return 'present'
  const index = /^"(\d{1,16})"$/.exec(ifMatch.trim())?.[1]
  if (index === undefined) throw badRequest('If-Match must be one ETag as it was given, e.g. "42", or *')
  return { index: safeInteger(index, 'If-Match') }
}

/** `?consistency=linearizable|lease|local&min_index=N&max_staleness=1s`. */
export function readOptionsOf(query: URLSearchParams, fallback: ReadConsistency): ReadOptions {
  for (const name of query.keys()) {
    if (!READ_PARAMETERS.has(name)) throw badRequest(`unknown query parameter ${JSON.stringify(name)}`)
  }
  const consistency = query.get('consistency') ?? fallback
  if (!isReadConsistency(consistency)) {
    throw badRequest(`consistency is ${JSON.stringify(consistency)}, but it must be ${READ_CONSISTENCY_NAMES}`)
  }
  const minIndex = query.get('min_index')
  const staleness = query.get('max_staleness')
  if (staleness !== null && consistency !== 'local') {
    throw badRequest('max_staleness needs consistency=local: any other read is never stale')
  }
  const maxStalenessMs = staleness === null ? undefined : parseDuration(staleness)
  if (maxStalenessMs === null) {
    throw badRequest(`max_staleness is ${JSON.stringify(staleness)}, but a duration like 500ms or 1s is needed`)
  }
  return { consistency, maxStalenessMs, minIndex: minIndex === null ? undefined : safeInteger(minIndex, 'min_index') }
}

function safeInteger(text: string, where: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw badRequest(`${where} is ${JSON.stringify(text)}, but an index is needed`)
}

function parseJson(body: Uint8Array): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw badRequest('the body is not JSON: send {"value":"…"}, or raw bytes as application/octet-stream')
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  throw badRequest('the body is not a JSON object: send {"value":"…","ttl":"5m"}')
}
