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

/** The JSON of an answer. Throws StartError with what the node said. */
export async function ask(node: Address, method: string, path: string, body?: object): Promise<unknown> {
  const address = formatAddress(node.host === '' ? { ...node, host: '127.0.0.1' } : node)
  const response = await fetch(`http://${address}${path}`, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
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
