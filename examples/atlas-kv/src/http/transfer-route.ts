// POST /admin/transfer: leadership moves to the node that the body names, `{"to":"node2"}`, or to the best one. A follower
// passes the request on to the leader, once. Owns no state.
import type { Context } from 'hono'
import { badRequest, HttpError } from './http-error.js'
import type { HttpAppOptions } from './http-app.js'

/** Set on a request that was passed on: it is not passed on again. */
const FORWARDED_BY = 'X-Forwarded-By'

export async function transferLeadership(c: Context, { node, machine }: HttpAppOptions): Promise<Response> {
  const text = await c.req.text()
  const to = targetOf(text)
  const { id, role, leader } = node.status()
  if (role === 'leader' || c.req.header(FORWARDED_BY) !== undefined) {
    await node.transferLeadership(to)
    return c.json({ leader: node.leader?.id ?? null })
  }
  const http = leader === null ? '' : (machine.state.addresses.get(leader.id)?.http ?? '')
  if (http === '')
    throw new HttpError(503, 'RAFT_NOT_LEADER', `'${id}' does not lead, and knows no address of who does`)
  const headers = { 'Content-Type': 'application/json', [FORWARDED_BY]: id }
  const answer = await fetch(`http://${http}/admin/transfer`, { method: 'POST', headers, body: text }).catch(() => null)
  if (answer === null) throw new HttpError(504, 'RAFT_TIMEOUT', `the leader at ${http} did not answer`, 'unknown')
  return new Response(answer.body, { status: answer.status, headers: { 'Content-Type': 'application/json' } })
}

/** An empty body names nobody. */
function targetOf(text: string): string | undefined {
  if (text === '') return undefined
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw badRequest('the body is not JSON: send {"to":"node2"}, or nothing')
  }
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  if (!isObject || Object.keys(body as object).some((key) => key !== 'to')) {
    throw badRequest('the body must be an object with nothing but "to": {"to":"node2"}')
  }
  const { to } = body as { readonly to?: unknown }
  if (to !== undefined && typeof to !== 'string') throw badRequest('"to" must be the id of a node, a string')
  return to
}
