// The routes of HTTP: keys as JSON, status, probes (atlas.md §5). It knows the node only through RaftNode's public
// calls, shows no stack traces, and never uses a key as a path (security.md §7).
import type { RaftNode, ReadConsistency } from 'helios-raft'
import type { Context } from 'hono'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Administration } from '../admin/administration.js'
import { formatAddress, isLoopback, type Address } from '../config/values.js'
import { addressesOf } from '../server/node-addresses.js'
import type { Writer } from '../server/writer.js'
import { commandSize } from '../state-machine/command-codec.js'
import type { KvCommand, KvResult, SetCommand } from '../state-machine/command.js'
import { isFailure } from '../state-machine/command.js'
import type { KvEntry } from '../state-machine/kv-state.js'
import { NEVER } from '../state-machine/kv-state.js'
import type { KvStateMachine } from '../state-machine/kv-state-machine.js'
import { ADMIN_METHODS, addAdminRoutes } from './admin-routes.js'
import { streamBackup } from './backup-route.js'
import type { ErrorStatus, HttpErrorBody } from './http-error.js'
import { HttpError, httpErrorOf } from './http-error.js'
import { idempotencyKeyOf, write } from './idempotent-write.js'
import { conditionOf, keyOf, readOptionsOf, valueOf } from './kv-request.js'

/** The calls of RaftNode that the routes make. */
export type HttpNode = Pick<RaftNode<KvCommand, KvResult>, 'openSession' | 'read' | 'status' | 'leader' | 'backup'>

export interface HttpAppOptions {
  readonly node: HttpNode
  readonly writer: Pick<Writer, 'write'>
  readonly machine: KvStateMachine
  readonly admin: Administration
  readonly version: string
  readonly readConsistency: ReadConsistency
  /** Where it listens; on loopback only local names are answered, against DNS rebinding. */
  readonly address: Address
  /** Largest command of the log, bytes. */
  readonly commandBytes: number
  /** Takes unexpected errors. Never throws. */
  readonly report: (error: unknown) => void
}

/** JSON spells a byte with up to six characters. */
const JSON_GROWTH = 6
const LOCAL_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i

export function createHttpApp(options: HttpAppOptions): Hono {
  const { node, version } = options
  const app = new Hono()
  app.onError((error, c) => answerError(c, error, options))
  app.notFound((c) => answerError(c, new HttpError(404, 'NOT_FOUND', `there is nothing at ${c.req.path}`), options))
  app.use(async (c, next) => {
    checkOrigin(c, options.address)
    await next()
  })
  app.put(
    '/kv/:key',
    bodyLimit({ maxSize: JSON_GROWTH * options.commandBytes, onError: () => refuseSize(options.commandBytes) }),
    (c) => putKey(c, options),
  )
  app.get('/kv/:key', (c) => getKey(c, options))
  app.delete('/kv/:key', (c) => deleteKey(c, options))
  addAdminRoutes(app, options)
  app.get('/admin/backup', (c) => streamBackup(c, options))
  app.get('/healthz', (c) => {
    const alive = !['failed', 'stopped'].includes(node.status().role)
    return c.json({ status: alive ? 'ok' : 'failed' }, alive ? 200 : 503)
  })
  app.get('/readyz', (c) => readiness(c, options))
  app.get('/version', (c) => c.json({ name: 'atlas-kv', version, node: process.versions.node }))
  for (const [path, methods] of ALLOWED) {
    app.all(path, (c) => {
      c.header('Allow', methods)
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', `${c.req.method} is not possible here: use ${methods}`)
    })
  }
  return app
}

const ALLOWED: readonly (readonly [path: string, methods: string])[] = [
  ['/kv/:key', 'GET, HEAD, PUT, DELETE'],
  ...ADMIN_METHODS,
  ['/admin/backup', 'GET'],
  ['/healthz', 'GET, HEAD'],
  ['/readyz', 'GET, HEAD'],
  ['/version', 'GET, HEAD'],
]

async function putKey(c: Context, { node, writer, commandBytes }: HttpAppOptions): Promise<Response> {
  const { key, text } = keyOf(c.req.path)
  const idempotencyKey = idempotencyKeyOf(c.req.header('Idempotency-Key'))
  const condition = conditionOf(c.req.header('If-Match'), c.req.header('If-None-Match'))
  const body = new Uint8Array(await c.req.arrayBuffer())
  const { value, expiry } = valueOf(c.req.header('Content-Type') ?? '', body)
  const returnPrevious = condition === 'always'
  const command: SetCommand = { type: 'set', key, value, condition, expiry, returnPrevious }
  if (commandSize(command) > commandBytes) refuseSize(commandBytes)
  const { index, result } = await write({ node, writer }, command, idempotencyKey)
  if (isFailure(result)) throw new HttpError(400, 'BAD_REQUEST', `the write was refused: ${result.failure}`)
  if (!returnPrevious && result === null) {
    throw new HttpError(412, 'PRECONDITION_FAILED', 'the key is not as If-Match or If-None-Match wants it')
  }
  const created = returnPrevious ? result === null : condition === 'absent'
  c.header('ETag', `"${index}"`)
  c.header('X-Raft-Index', String(index))
  return c.json({ key: text, index, created }, created ? 201 : 200)
}

async function getKey(c: Context, options: HttpAppOptions): Promise<Response> {
  const { key, text } = keyOf(c.req.path)
  const readOptions = readOptionsOf(new URL(c.req.url).searchParams, options.readConsistency)
  const read = await options.node.read(() => options.machine.state.get(key), readOptions)
  const entry = read.value
  c.header('X-Raft-Index', String(read.index))
  if (entry === null) throw new HttpError(404, 'NOT_FOUND', 'there is no such key')
  const etag = `"${entry.index}"`
  c.header('ETag', etag)
  const known = (c.req.header('If-None-Match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known.includes(etag) || known.includes('*')) return c.body(null, 304)
  if (c.req.header('Accept') === 'application/octet-stream') {
    c.header('Content-Type', 'application/octet-stream')
    return c.body(new Uint8Array(entry.value))
  }
  return c.json({ key: text, ...valueJson(entry) })
}

async function deleteKey(c: Context, { node, writer }: HttpAppOptions): Promise<Response> {
  const { key } = keyOf(c.req.path)
  const idempotencyKey = idempotencyKeyOf(c.req.header('Idempotency-Key'))
  const { index, result } = await write({ node, writer }, { type: 'delete', keys: [key] }, idempotencyKey)
  c.header('X-Raft-Index', String(index))
  return c.json({ deleted: result === 1 })
}

/** Text as text; bytes that are no UTF-8 as base64, and it says so. */
function valueJson({ value, index, expireAt }: KvEntry): object {
  const expiresAt = expireAt === NEVER ? null : new Date(expireAt).toISOString()
  try {
    return { value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value), index, expiresAt }
  } catch {
    return { value: Buffer.from(value).toString('base64'), encoding: 'base64', index, expiresAt }
  }
}

function readiness(c: Context, { node }: HttpAppOptions): Response {
  const status = node.status()
  const body = { status: status.ready ? 'ready' : 'not ready' }
  const { role, leader, quorumOk, commitIndex, lastApplied, suffrage, explanation } = status
  const details = { id: status.id, role, suffrage, leader: leader?.id ?? null, quorumOk, commitIndex, lastApplied }
  const verbose = c.req.query('verbose') !== undefined
  if (!status.ready) c.header('Retry-After', '1')
  return c.json(verbose ? { ...body, ...details, explanation } : body, status.ready ? 200 : 503)
}

function answerError(c: Context, thrown: unknown, options: HttpAppOptions): Response {
  const error = httpErrorOf(thrown)
  if (error.code === 'INTERNAL') options.report(thrown)
  const leader = options.node.leader
  const { http } = addressesOf(leader)
  const body: HttpErrorBody = {
    error: {
      code: error.code,
      message: error.message,
      outcome: error.outcome,
      leader: leader === null ? null : { id: leader.id, http: http === '' ? null : http },
    },
  }
  const retryable: readonly ErrorStatus[] = [429, 503]
  if (retryable.includes(error.status)) c.header('Retry-After', '1')
  return c.json(body, error.status)
}

/** A page in a browser may neither reach a local server under another name nor write to it across origins. */
function checkOrigin(c: Context, address: Address): void {
  const host = c.req.header('Host') ?? ''
  if (isLoopback(address) && !LOCAL_HOST.test(host)) {
    throw new HttpError(
      403,
      'FORBIDDEN',
      `this server listens on ${formatAddress(address)} and answers to that name only`,
    )
  }
  const origin = c.req.header('Origin')
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) {
    throw new HttpError(403, 'FORBIDDEN', 'requests from pages of another origin are refused')
  }
}

function refuseSize(limit: number): never {
  throw new HttpError(413, 'RAFT_TOO_LARGE', `key and value are larger than the limit of ${limit} bytes`)
}
