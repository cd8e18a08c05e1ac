// GET /admin/backup: the state at a linearizable index as a stream of bytes, which `atlasctl backup` writes to a file and checks.
// What fails before the first byte is an error as any other; later the connection is cut, and the stream lacks its end.
import type { Context } from 'hono'
import type { HttpAppOptions } from './http-app.js'
import { HttpError } from './http-error.js'

/** Until the first byte, ms: a read, then a snapshot of the whole state. */
const BEGIN_MS = 30_000

export async function streamBackup(c: Context, { node }: HttpAppOptions): Promise<Response> {
  // HEAD is answered as GET without the body: nobody would ever read the backup that began.
  if (c.req.raw.method !== 'GET') throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'a backup is for GET alone')
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), BEGIN_MS)
  const backup = node.backup({ signal: abort.signal })[Symbol.asyncIterator]()
  let first: IteratorResult<Uint8Array> | null = await backup
    .next()
    .catch((error: unknown) => {
      if (!abort.signal.aborted) throw error
      throw new HttpError(503, 'RAFT_TIMEOUT', `no backup began within ${BEGIN_MS / 1000} s: is a majority up?`)
    })
    .finally(() => clearTimeout(timer))
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = first ?? (await backup.next())
        first = null
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await backup.return?.()
      },
    },
    // Nothing is read ahead: the one who fetches sets the pace.
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' } })
}
