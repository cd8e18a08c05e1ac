// A small client of RESP2, for the demo: one connection, answers in order of the calls. Not for production: use ioredis
// or node-redis, which reconnect.
import type { Socket } from 'node:net'
import { createConnection } from 'node:net'

/** An error reply is a value here: the caller decides what it means. */
export type Reply = string | number | null | Error | readonly Reply[]

/** Replies that may be outstanding. */
const MAX_CALLS = 1024

interface Call {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

export class RespClient {
  readonly #socket: Socket
  readonly #calls: Call[] = []
  #input = Buffer.alloc(0)
  #error: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection was closed')))
  }

  static connect(port: number, host = '127.0.0.1'): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RespClient(socket))
      })
    })
  }

  /** Rejects when the connection is lost before the answer. */
  call(...args: readonly string[]): Promise<Reply> {
    if (this.#error !== null) return Promise.reject(this.#error)
    if (this.#calls.length >= MAX_CALLS) return Promise.reject(new Error(`more than ${MAX_CALLS} calls are open`))
    const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
    return new Promise((resolve, reject) => {
      this.#calls.push({ resolve, reject })
      this.#socket.write(`*${args.length}\r\n${parts.join('')}`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk])
    let at = 0
    for (;;) {
      const parsed = parseReply(this.#input, at)
      if (parsed === null) break
      at = parsed.end
      this.#calls.shift()?.resolve(parsed.reply)
    }
    this.#input = this.#input.subarray(at)
  }

  #fail(error: Error): void {
    this.#error ??= error
    for (const call of this.#calls.splice(0)) call.reject(error)
  }
}

interface Parsed {
  readonly reply: Reply
  readonly end: number
}

function parseReply(input: Buffer, start: number): Parsed | null {
  const lineEnd = input.indexOf('\r\n', start)
  if (lineEnd < 0) return null
  const text = input.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(input[start] ?? 0)) {
    case '+':
      return { reply: text, end }
    case '-':
      return { reply: new Error(text), end }
    case ':':
      return { reply: Number(text), end }
    case '$': {
      const length = Number(text)
      if (length < 0) return { reply: null, end }
      if (input.length < end + length + 2) return null
      return { reply: input.toString('utf8', end, end + length), end: end + length + 2 }
    }
    case '*':
      return parseArray(input, end, Number(text))
    default:
      throw new Error(`the server sent ${JSON.stringify(input.toString('latin1', start, lineEnd))}, which is no RESP2`)
  }
}

function parseArray(input: Buffer, start: number, count: number): Parsed | null {
  const items: Reply[] = []
  let end = start
  while (items.length < count) {
    const item = parseReply(input, end)
    if (item === null) return null
    items.push(item.reply)
    end = item.end
  }
  return { reply: items, end }
}
