// What the machine can do without any library: a bare durable write and a bare round trip, measured in the same run, so
// that the figures of the cluster can be read as ratios on any machine.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closedLoop } from './load.js'
import type { Measured } from './samples.js'

const RECYCLED_BYTES = 4 * 1024 * 1024

export interface Anchors {
  /** A: one write into a file that has its blocks already, opened O_DSYNC. */
  readonly durableWrite: Measured
  /** The same at the end of a growing file, then fdatasync. */
  readonly growingWrite: Measured
  /** R: there and back over one TCP connection to another process. */
  readonly roundTrip: Measured
  /** What 64 callers of a function that answers at once can do: the cost of the load itself. */
  readonly generator: Measured
}

export async function measureAnchors(options: {
  readonly directory: string
  readonly sizeBytes: number
  readonly seconds: number
}): Promise<Anchors> {
  await mkdir(options.directory, { recursive: true })
  const { seconds } = options
  return {
    durableWrite: await recycledWrites(options),
    growingWrite: await growingWrites(options),
    roundTrip: await roundTrips(options),
    generator: await closedLoop({ callers: 64, seconds, call: () => Promise.resolve() }),
  }
}

type Options = Parameters<typeof measureAnchors>[0]

async function recycledWrites({ directory, sizeBytes, seconds }: Options): Promise<Measured> {
  const path = join(directory, 'anchor-recycled')
  const bytes = Buffer.alloc(sizeBytes, 1)
  const fresh = await open(path, 'w')
  await fresh.write(Buffer.alloc(RECYCLED_BYTES))
  await fresh.sync()
  await fresh.close()
  const file = await open(path, constants.O_WRONLY | constants.O_DSYNC)
  try {
    let position = 0
    const call = async () => {
      if (position + sizeBytes > RECYCLED_BYTES) position = 0
      await file.write(bytes, 0, sizeBytes, position)
      position += sizeBytes
    }
    return await closedLoop({ callers: 1, seconds, call })
  } finally {
    await file.close()
    await rm(path)
  }
}

async function growingWrites({ directory, sizeBytes, seconds }: Options): Promise<Measured> {
  const path = join(directory, 'anchor-growing')
  const bytes = Buffer.alloc(sizeBytes, 1)
  const file = await open(path, 'w')
  try {
    const call = async () => {
      await file.write(bytes)
      await file.datasync()
    }
    return await closedLoop({ callers: 1, seconds, call })
  } finally {
    await file.close()
    await rm(path)
  }
}

async function roundTrips({ sizeBytes, seconds }: Options): Promise<Measured> {
  const echo = fork(fileURLToPath(new URL('./echo.js', import.meta.url)))
  try {
    const [port] = (await once(echo, 'message')) as [number]
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const measured = await closedLoop({ callers: 1, seconds, call: echoCall(socket, sizeBytes) })
    socket.destroy()
    return measured
  } finally {
    echo.kill('SIGKILL')
  }
}

function echoCall(socket: Socket, sizeBytes: number): () => Promise<void> {
  const bytes = Buffer.alloc(sizeBytes, 1)
  let missingBytes = 0
  let answered = () => {}
  socket.on('data', (chunk) => {
    missingBytes -= chunk.length
    if (missingBytes === 0) answered()
  })
  return () =>
    new Promise((resolve) => {
      missingBytes = sizeBytes
      answered = resolve
      socket.write(bytes)
    })
}

/** Sends back whatever comes; tells the port to the process that forked it, and ends with it. */
export function serveEcho(): void {
  const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket))
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : null)
  })
  process.on('disconnect', () => process.exit(0))
}
