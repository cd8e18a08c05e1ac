// A request of an operator's to one node over HTTP; its refusals become one line each.
import { StartError } from '../config/usage-error.js'
import type { Address } from '../config/values.js'
import { formatAddress } from '../config/values.js'
import { reasonOf } from '../server/start-error.js'

/** A change waits until the node has caught up. */
const TIMEOUT_MS = 150_000

/** The fields of `GET /admin/nodes` that are looked at. */
export interface NodesAnswer {
  readonly leader: string | null
  readonly term: number
  readonly commitIndex: number
  /** Whose view it is. */
  readonly seenBy: string
  readonly isJoint: boolean
  readonly nodes: readonly MemberRow[]
}

export interface MemberRow {
  readonly id: string
  readonly address: string
  readonly suffrage: string
  readonly change: string | null
  readonly isLeader: boolean
  readonly http: string | null
  readonly resp: string | null
  readonly replication: string | null
  readonly lag: number | null
  readonly lastContactMs: number | null
}

export interface AdminRequest {
  readonly body?: object | undefined
  /** Gives up waiting; what was asked for may go on. */
  readonly signal?: AbortSignal | undefined
}

/** The JSON of an answer. Throws StartError with what the node said, and the signal's reason when that is aborted. */
export async function ask(
  node: Address,
  method: string,
  path: string,
  { body, signal }: AdminRequest = {},
): Promise<unknown> {
  const address = formatAddress(node.host === '' ? { ...node, host: '127.0.0.1' } : node)
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const response = await fetch(`http://${address}${path}`, {
    method,
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw new StartError(`no answer from ${address}: ${reasonOf(error)}; name another node with --addr`, {
      cause: error,
    })
  })
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer
  const { error } = (answer ?? {}) as { readonly error?: { readonly message?: unknown; readonly outcome?: unknown } }
  const fate = error?.outcome === 'unknown' ? ' (it may still happen: look at members list)' : ''
  throw new StartError(`${address} refused: ${String(error?.message ?? `HTTP ${response.status}`)}${fate}`)
}
