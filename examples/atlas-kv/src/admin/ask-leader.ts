// A request that only the leader can serve, passed on to it over HTTP, once. Its refusal becomes an error of ours.
import { type ErrorStatus, HttpError } from '../http/http-error.js'

/** Set on a request that was passed on: it is not passed on again. */
export const FORWARDED_BY = 'X-Forwarded-By'
/** The leader answers within an election timeout; a node that is gone, never. */
const TIMEOUT_MS = 30_000
/** Whoever looks at the members while the leader is away wants to know what this node knows. */
export const LOOK_MS = 1_000

export interface LeaderRequest {
  /** Of the leader, `host:port`. */
  readonly http: string
  /** Id of this node. */
  readonly from: string
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly body?: object
  /** @defaultValue 30000 */
  readonly timeoutMs?: number
}

/** The JSON that the leader answers with. @throws HttpError as the leader tells it, or 504 when it tells nothing */
export async function askLeader({
  http,
  from,
  path,
  method,
  body,
  timeoutMs = TIMEOUT_MS,
}: LeaderRequest): Promise<unknown> {
  let status: number
  let answer: unknown
  try {
    const headers = { 'Content-Type': 'application/json', [FORWARDED_BY]: from }
    const response = await fetch(`http://${http}${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    status = response.status
    answer = await response.json()
  } catch {
    throw new HttpError(504, 'RAFT_TIMEOUT', `the leader at ${http} did not answer`, 'unknown')
  }
  if (status < 400) return answer
  const { code, message, outcome } = errorOf(answer)
  throw new HttpError(status as ErrorStatus, code, message, outcome)
}

interface Told {
  readonly code: string
  readonly message: string
  readonly outcome: 'rejected' | 'unknown'
}

function errorOf(answer: unknown): Told {
  const { error } = (answer ?? {}) as { readonly error?: Partial<Record<keyof Told, unknown>> }
  return {
    code: typeof error?.code === 'string' ? error.code : 'INTERNAL',
    message: typeof error?.message === 'string' ? error.message : 'the leader refused without a word',
    outcome: error?.outcome === 'rejected' ? 'rejected' : 'unknown',
  }
}
