// The options of TcpTransport and what follows from them; `host:port` in and out. A listener that others than this
// machine can reach, and that nothing protects, is never opened by accident (security.md, promise 1).
import { BlockList, isIP } from 'node:net'
import { RaftError } from '../../errors.js'

export interface TcpTransportOptions {
  /** `host:port` to listen on, `[host]:port` for IPv6; port 0 picks one. Peers dial `Member.address`, which may differ. */
  listen: string
  /** A non-loopback address is refused unless this is true: nothing encrypts or authenticates. @defaultValue false */
  insecure?: boolean | undefined
  /** Header and message, 4 KiB to 16 MiB. The same on all nodes. @defaultValue 8 MiB */
  maxFrameBytes?: number | undefined
  /** Bytes of bulk messages queued per peer before new ones are dropped; at least maxFrameBytes. @defaultValue 16 MiB */
  maxQueuedBytes?: number | undefined
  /**
   * Told in one line of what was refused: a wrong hello, a damaged frame. At most one of a kind in ten seconds. Must not
   * throw. @defaultValue none; `counters` has the numbers
   */
  onWarning?: ((warning: string) => void) | undefined
}

/** Where to listen or dial. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

export interface ResolvedTcpOptions {
  readonly listen: HostPort
  /** As it was given, for messages. */
  readonly listenText: string
  readonly isLoopback: boolean
  readonly maxFrameBytes: number
  readonly maxQueuedBytes: number
  readonly onWarning: ((warning: string) => void) | null
}

const MiB = 1024 * 1024
const DEFAULTS = { insecure: false, maxFrameBytes: 8 * MiB, maxQueuedBytes: 16 * MiB } as const
const MIN_FRAME_BYTES = 4096
const MAX_FRAME_BYTES = 16 * MiB

/** @throws RaftError RAFT_INVALID_OPTION that names the option and the value */
export function resolveOptions(options: TcpTransportOptions): ResolvedTcpOptions {
  const { listen: listenText, insecure = DEFAULTS.insecure, onWarning } = options
  const { maxFrameBytes = DEFAULTS.maxFrameBytes, maxQueuedBytes = DEFAULTS.maxQueuedBytes } = options
  const listen = typeof listenText === 'string' ? parseHostPort(listenText) : null
  if (listen === null) {
    invalid('listen', listenText, "not 'host:port', like '127.0.0.1:7001', '[::1]:7001' or '0.0.0.0:0'")
  }
  if (typeof insecure !== 'boolean') invalid('insecure', insecure, 'neither true nor false')
  const isLoopback = isLoopbackHost(listen.host)
  if (!isLoopback && !insecure) {
    const advice = 'listen on 127.0.0.1, or set insecure: true on a network that only trusted machines can reach'
    invalid('listen', listenText, `reachable from other machines and nothing protects it: ${advice}`)
  }
  if (!isWithin(maxFrameBytes, MIN_FRAME_BYTES, MAX_FRAME_BYTES)) {
    invalid('maxFrameBytes', maxFrameBytes, `not a whole number from ${MIN_FRAME_BYTES} to ${MAX_FRAME_BYTES}`)
  }
  if (!isWithin(maxQueuedBytes, maxFrameBytes, Number.MAX_SAFE_INTEGER)) {
    invalid('maxQueuedBytes', maxQueuedBytes, `not a whole number from maxFrameBytes (${maxFrameBytes}) on`)
  }
  if (onWarning !== undefined && typeof onWarning !== 'function') invalid('onWarning', onWarning, 'not a function')
  return Object.freeze({
    listen,
    listenText,
    isLoopback,
    maxFrameBytes,
    maxQueuedBytes,
    onWarning: onWarning ?? null,
  })
}

/** `host:port` or `[IPv6]:port`; null when it is neither. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const [, ipv6, name, digits] = match
  const host = ipv6 ?? name ?? ''
  const port = Number(digits)
  if (port > 0xffff || (ipv6 !== undefined && isIP(ipv6) !== 6)) return null
  return { host, port }
}

/** The inverse of `parseHostPort`. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

function isLoopbackHost(host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
}

function invalid(option: string, value: unknown, problem: string): never {
  throw new RaftError('RAFT_INVALID_OPTION', `The TcpTransport option ${option} (${String(value)}) is ${problem}.`)
}
