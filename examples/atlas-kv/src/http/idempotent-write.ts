// A write that a client may send again, to any node, until it is answered: a session of the request's Idempotency-Key, in which
// it is number 1. The first answer stays in the session, so it needs no table here, and a restart of every node keeps it.
import { createHash } from 'node:crypto'
import type { LogIndex } from 'helios-raft'
import { kvCommandCodec } from '../state-machine/command-codec.js'
import { isOnceResult, type DeleteCommand, type KvResult, type SetCommand } from '../state-machine/command.js'
import type { HttpAppOptions } from './http-app.js'
import { badRequest, HttpError } from './http-error.js'

/** Sessions of this prefix are those of HTTP: a key never means a session that something else opened. */
const SESSION_PREFIX = 'http:'
/** How long a key is remembered after it was last used. */
const KEY_TTL_MS = 24 * 60 * 60 * 1_000
/** Longest key; with the prefix it fits the id of a session. */
const MAX_KEY_BYTES = 100
/** Without spaces and commas: two headers are joined by those, and would be taken for one key. */
const KEY = /^[\x21-\x2b\x2d-\x7e]+$/

/** @throws HttpError 400 */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined || (header.length <= MAX_KEY_BYTES && KEY.test(header))) return header
  throw badRequest(
    `Idempotency-Key must be one text of 1 to ${MAX_KEY_BYTES} characters of ASCII without spaces and commas, such as a UUID`,
  )
}

/** With a key it runs once, and whoever repeats it gets the first answer. @throws HttpError 422, RaftError */
export async function write(
  { node, writer }: Pick<HttpAppOptions, 'node' | 'writer'>,
  command: SetCommand | DeleteCommand,
  key: string | undefined,
): Promise<{ readonly index: LogIndex; readonly result: KvResult }> {
  if (key === undefined) return writtenAlone(await writer.write([command]))
  // What is asked for, not how it is spelled: the same JSON with other spaces is the same request.
  const digest = createHash('sha256').update(kvCommandCodec.encode(command)).digest()
  const session = await node.openSession({ id: SESSION_PREFIX + key, ttlMs: KEY_TTL_MS })
  const { index, result } = await session.propose({ type: 'once', digest, command }, { sequence: 1 })
  if (isOnceResult(result) && digest.equals(result.digest)) return { index, result: result.result }
  throw new HttpError(
    422,
    'IDEMPOTENCY_KEY_REUSED',
    `this Idempotency-Key was used for another request, which was applied at index ${index}: use a new one for each request`,
  )
}

function writtenAlone<T>([proposed]: readonly T[]): T {
  if (proposed === undefined) throw new Error('a write came back without its result')
  return proposed
}
