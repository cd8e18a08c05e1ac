// Durations, addresses and lists of peers as people write them in flags and environment variables. Each parser says
// what it saw and what it wants; none guesses.
import { quote } from './flags.js'
import { UsageError } from './usage-error.js'

export interface Address {
  /** Without brackets; empty for all interfaces. */
  readonly host: string
  readonly port: number
}

export interface Peer {
  readonly id: string
  /** `host:port`. */
  readonly address: string
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
/** The longest delay of a timer, ms; about 24 days (H107). */
export const MAX_DURATION_MS: number = 2 ** 31 - 1
const NODE_ID = /^[A-Za-z0-9._-]{1,64}$/

/** Milliseconds of `500ms`, `1.5s`, `5m`, `1h30m`; null for any other text. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null
  let total = 0
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS.get(unit ?? '') ?? 0)
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : null
}

/** A duration of a flag, at least 1 ms. */
export function durationOf(text: string, where: string): number {
  const ms = parseDuration(text)
  if (ms === null || ms < 1 || ms > MAX_DURATION_MS) {
    throw new UsageError(`${where} is ${quote(text)}, but a duration like 500ms, 2s or 5m is needed (up to 24 days)`)
  }
  return ms
}

/** `host:port`, `:port` (all interfaces) or `[ipv6]:port`. */
export function addressOf(text: string, where: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:[\]/]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new UsageError(`${where} is ${quote(text)}, but HOST:PORT is needed, e.g. 127.0.0.1:6379 or [::1]:6379`)
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

/** `host:port`, with brackets around IPv6. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether an address listens beyond this machine. */
export function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

export function isWildcard({ host }: Address): boolean {
  return host === '' || host === '0.0.0.0' || host === '::'
}

export function nodeIdOf(text: string, where: string): string {
  if (NODE_ID.test(text)) return text
  throw new UsageError(`${where} is ${quote(text)}, but an id of 1 to 64 letters, digits, dots, - and _ is needed`)
}

/** `node-2:127.0.0.1:7001,node-3:…`: the first colon ends the id, so that IPv6 works. */
export function peersOf(text: string, where: string): readonly Peer[] {
  const peers: Peer[] = []
  for (const part of text.split(',').map((item) => item.trim())) {
    const colon = part.indexOf(':')
    if (colon < 1) {
      throw new UsageError(`${where} holds ${quote(part)}, but ID:HOST:PORT is needed, e.g. node-2:127.0.0.1:7001`)
    }
    const id = nodeIdOf(part.slice(0, colon), `the id in ${where}`)
    const address = addressOf(part.slice(colon + 1), `the address of ${id} in ${where}`)
    if (address.host === '') throw new UsageError(`${where} gives ${id} no host: other nodes can't dial a bare port`)
    if (address.port === 0) throw new UsageError(`${where} gives ${id} port 0: name the port that it listens on`)
    if (peers.some((peer) => peer.id === id)) throw new UsageError(`${where} lists ${id} twice: keep one of them`)
    peers.push({ id, address: formatAddress(address) })
  }
  return peers
}
