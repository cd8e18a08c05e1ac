// /admin: the members and what can be done with them, as JSON (atlas.md §5). Each request works on any node: changes of
// the membership go through Raft, the rest is passed on to the leader. Owns no state.
import type { MemberSpec } from 'helios-raft'
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Administration } from '../admin/administration.js'
import { FORWARDED_BY } from '../admin/ask-leader.js'
import { addressesOf } from '../server/node-addresses.js'
import type { HttpAppOptions } from './http-app.js'
import { badRequest, HttpError } from './http-error.js'

/** Largest body of an administrative request. */
const ADMIN_BODY_BYTES = 4_096

/** Adds the routes. */
export function addAdminRoutes(app: Hono, options: HttpAppOptions): void {
  const { admin, node, version } = options
  const limit = bodyLimit({ maxSize: ADMIN_BODY_BYTES, onError: refuseSize })
  app.get('/admin/status', (c) => {
    const status = node.status()
    // An object without prototype: ids come from the log (H103).
    const addresses = status.configuration.members.map((member) => [member.id, addressesOf(member)] as const)
    return c.json({
      version,
      addresses: Object.assign(Object.create(null) as object, Object.fromEntries(addresses)),
      ...status,
    })
  })
  app.get('/admin/nodes', async (c) => c.json(await admin.members(c.req.header(FORWARDED_BY) !== undefined)))
  app.post('/admin/nodes', limit, async (c) => {
    const { member, isNew } = await admin.add(memberOf(await c.req.text()))
    return c.json(member, isNew ? 201 : 200)
  })
  app.delete('/admin/nodes/:id', async (c) => {
    await admin.remove(c.req.param('id'), { force: forceOf(c) })
    return c.json({ removed: true })
  })
  app.patch('/admin/nodes/:id', limit, async (c) => {
    const example = '{"address":"localhost:8084"}'
    const { address } = fieldsOf(await c.req.text(), ['address'], example)
    if (typeof address !== 'string') throw badRequest(`"address" is needed, a string: send ${example}`)
    return c.json(await admin.update(c.req.param('id'), address))
  })
  app.post('/admin/nodes/:id/promote', limit, async (c) => c.json(await admin.promote(c.req.param('id'))))
  app.post('/admin/nodes/:id/demote', limit, async (c) => c.json(await admin.demote(c.req.param('id'))))
  app.post('/admin/transfer', limit, (c) => transferLeadership(c, admin))
  app.post('/admin/snapshot', limit, async (c) => {
    const { lastIncludedIndex, lastIncludedTerm } = await admin.snapshot()
    return c.json({ index: lastIncludedIndex, term: lastIncludedTerm })
  })
}

/** What other methods are answered with. */
export const ADMIN_METHODS: readonly (readonly [path: string, methods: string])[] = [
  ['/admin/status', 'GET, HEAD'],
  ['/admin/nodes', 'GET, HEAD, POST'],
  ['/admin/nodes/:id', 'DELETE, PATCH'],
  ['/admin/nodes/:id/promote', 'POST'],
  ['/admin/nodes/:id/demote', 'POST'],
  ['/admin/transfer', 'POST'],
  ['/admin/snapshot', 'POST'],
]

async function transferLeadership(c: Context, admin: Administration): Promise<Response> {
  const { to } = fieldsOf(await c.req.text(), ['to'], '{"to":"node2"}, or nothing')
  if (to !== undefined && typeof to !== 'string') throw badRequest('"to" must be the id of a node, a string')
  return c.json({ leader: await admin.transfer(to, c.req.header(FORWARDED_BY) !== undefined) })
}

function forceOf(c: Context): boolean {
  const force = c.req.query('force') ?? 'false'
  if (force !== 'true' && force !== 'false') throw badRequest(`force is ${JSON.stringify(force)}: use true or false`)
  return force === 'true'
}

function memberOf(text: string): MemberSpec {
  const example = '{"id":"node4","address":"localhost:8084"}'
  const { id, address, suffrage, metadata } = fieldsOf(text, ['id', 'address', 'suffrage', 'metadata'], example)
  if (typeof id !== 'string' || typeof address !== 'string') {
    throw badRequest(`"id" and "address" are needed, both strings: send ${example}`)
  }
  if (suffrage !== undefined && suffrage !== 'voter' && suffrage !== 'learner') {
    throw badRequest('"suffrage" must be "voter" or "learner"')
  }
  if (metadata !== undefined && !isRecordOfStrings(metadata)) throw badRequest('"metadata" must hold strings only')
  return { id, address, suffrage, metadata }
}

/** The fields of a JSON object; an empty body has none. */
function fieldsOf<Name extends string>(
  text: string,
  names: readonly Name[],
  example: string,
): Readonly<Partial<Record<Name, unknown>>> {
  if (text === '') return {} as Readonly<Partial<Record<Name, unknown>>>
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw badRequest(`the body is not JSON: send ${example}`)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest(`the body is not a JSON object: send ${example}`)
  }
  const unknown = Object.keys(body).find((name) => !(names as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw badRequest(`the body has an unknown field ${JSON.stringify(unknown)}: send ${example}`)
  return body as Readonly<Partial<Record<Name, unknown>>>
}

function isRecordOfStrings(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((each) => typeof each === 'string')
}

function refuseSize(): never {
  throw new HttpError(413, 'RAFT_TOO_LARGE', `the body is larger than the limit of ${ADMIN_BODY_BYTES} bytes`)
}
