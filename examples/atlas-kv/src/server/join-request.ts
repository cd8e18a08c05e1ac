// One request to a member of a running cluster to add this node, over HTTP or RESP, whichever the address speaks. Asking
// twice does no harm: who is a member already is told so.
import { formatAddress, type Address } from '../config/values.js'
import { RespClient } from '../tools/resp-client.js'
import type { NodeAddresses } from './node-addresses.js'

/** Who asks. */
export interface Joiner {
  readonly id: string
  /** Where the members dial it, `host:port`. */
  readonly address: string
  readonly addresses: NodeAddresses
}

/**
 * Resolves when its id is a member's. Rejects with what the member said, or why it could not be asked.
 * @returns `member` when it may have been one before it asked; over RESP that is not told
 */
export async function requestJoin(member: Address, joiner: Joiner, signal: AbortSignal): Promise<'added' | 'member'> {
  try {
    return await askOverHttp(formatAddress(member), joiner, signal)
  } catch (error) {
    // The parser's complaint: something else than HTTP answered.
    if (!codeOf(error).startsWith('HPE_')) throw error
    await askOverResp(member, joiner, signal)
    return 'member'
  }
}

async function askOverHttp(
  member: string,
  { id, address, addresses }: Joiner,
  signal: AbortSignal,
): Promise<'added' | 'member'> {
  const response = await fetch(`http://${member}/admin/nodes`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ id, address, metadata: addresses }),
    signal,
  })
  const answer = (await response.json().catch(() => null)) as { readonly error?: { readonly message?: unknown } } | null
  if (response.ok) return response.status === 201 ? 'added' : 'member'
  throw new Error(`HTTP ${response.status}: ${String(answer?.error?.message ?? 'no reason given')}`)
}

async function askOverResp({ host, port }: Address, { id, address }: Joiner, signal: AbortSignal): Promise<void> {
  const client = await RespClient.connect(port, host)
  const end = (): void => client.close()
  signal.addEventListener('abort', end)
  try {
    const reply = await client.call('RAFT', 'ADD', id, address)
    if (reply instanceof Error) throw reply
  } finally {
    signal.removeEventListener('abort', end)
    client.close()
  }
}

/** In words, for a log line. */
export function joinFailure(error: unknown): string {
  const code = codeOf(error)
  // A port of Raft closes what says no hello of Raft.
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET')
    return `it closed the connection (${code}): name the HTTP or RESP port of a member, not its Raft port`
  if (code !== '') return `no answer (${code})`
  // `fetch` says no more than that it failed.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return reason instanceof Error ? reason.message : String(reason)
}

/** The system's code, which `fetch` hides in the cause. */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return ''
}
