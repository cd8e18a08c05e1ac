// The listening socket: binds, says where, and hands accepted sockets on. A port that can't be had is one clear error.
import { createServer, type Server, type Socket } from 'node:net'
import { RaftError } from '../../errors.js'
import { KEEP_ALIVE_MS } from './limits.js'
import { formatHostPort, type ResolvedTcpOptions } from './options.js'

/** What the codes of a failed bind mean to a person. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is taken: stop the other program or choose another port'],
  ['EADDRNOTAVAIL', 'this machine has no such address: choose one of its own'],
  ['EACCES', 'this user may not: choose a port from 1024 on'],
  ['ENOTFOUND', 'the name is unknown: check it, or give an address'],
])

export class Listener {
  readonly #server: Server
  /** The bound `host:port`. */
  readonly address: string

  private constructor(server: Server, address: string) {
    this.#server = server
    this.address = address
  }

  /** @throws RaftError RAFT_INVALID_OPTION when the address can't be bound */
  static async open(options: ResolvedTcpOptions, onSocket: (socket: Socket) => void): Promise<Listener> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, onSocket)
    const { host, port } = options.listen
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(options.listenText, error)))
      server.listen({ host, port, exclusive: true }, resolve)
    })
    server.removeAllListeners('error')
    // Too many open files, for instance: the connection that could not be accepted is lost, the listener lives on.
    server.on('error', () => undefined)
    const bound = server.address()
    return new Listener(
      server,
      formatHostPort({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port }),
    )
  }

  /** Resolves when the port is free and every accepted socket is closed. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

function bindError(listen: string, error: NodeJS.ErrnoException): RaftError {
  const code = error.code ?? 'unknown error'
  const reason = REASONS.get(code) ?? error.message
  return new RaftError('RAFT_INVALID_OPTION', `Can't listen on ${listen} (${code}): ${reason}.`, { cause: error })
}
