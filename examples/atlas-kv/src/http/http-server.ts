// The listener of HTTP, with the time and size limits of security.md §7.
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Address } from '../config/values.js'
import { createHttpApp, type HttpAppOptions } from './http-app.js'

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 5_000
const MAX_HEADERS = 64
const MAX_CONNECTIONS = 1_000

export class HttpServer {
  readonly #server: Server
  readonly #address: Address

  constructor(options: HttpAppOptions) {
    this.#address = options.address
    const app = createHttpApp(options)
    this.#server = createAdaptorServer({
      fetch: app.fetch,
      overrideGlobalObjects: false,
      createServer,
      serverOptions: {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
    }) as Server
    this.#server.maxHeadersCount = MAX_HEADERS
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /** Rejects with the system's error. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const { host, port } = this.#address
      this.#server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', () => {
          // It concerns one connection that could not be accepted; the client sees it.
        })
        resolve()
      })
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }

  /** Stops listening and lets running requests end. Idempotent. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
    })
  }

  /** Ends what `close` still waits for. */
  destroy(): void {
    this.#server.closeAllConnections()
  }
}
