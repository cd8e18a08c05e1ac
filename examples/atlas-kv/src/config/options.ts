// The settings of helios-atlasd, from flags, environment and defaults, checked against each other before anything is
// opened. A flag wins over the environment. Nothing here touches the disk or the network.
import { join } from 'node:path'
import type { ReadConsistency } from 'helios-raft'
import type { LogLevel } from '../log/text-logger.js'
import { isLogLevel } from '../log/text-logger.js'
import type { Flags, FlagSpec } from './flags.js'
import { parseFlags, quote } from './flags.js'
import { READ_CONSISTENCIES, READ_CONSISTENCY_NAMES } from './read-consistency.js'
import { UsageError } from './usage-error.js'
import type { Address, Peer } from './values.js'
import { addressOf, durationOf, formatAddress, isLoopback, isWildcard, nodeIdOf, peersOf } from './values.js'

export interface AtlasOptions {
  readonly dataDirectory: string
  readonly raftDirectory: string
  readonly nodeId: string
  /** Where RESP listens. */
  readonly resp: Address
  /** Null: no HTTP. */
  readonly http: Address | null
  readonly raft: Address
  /** The other nodes; none for a cluster of one. */
  readonly peers: readonly Peer[]
  /** HTTP or RESP addresses of members of the cluster that this node wants to join; none to found one, or go on. */
  readonly join: readonly Address[]
  readonly electionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly readConsistency: ReadConsistency
  readonly followerWrites: 'forward' | 'reject' | 'moved'
  readonly insecure: boolean
  readonly logLevel: LogLevel
  /** To be shown at the start. */
  readonly warnings: readonly string[]
}

const DEFAULTS = {
  'data-dir': './data',
  listen: '127.0.0.1:6379',
  'raft-node-id': 'node-1',
  'raft-addr': '127.0.0.1:7000',
  http: 'off',
  'election-timeout': '500ms',
  'heartbeat-interval': '100ms',
  'read-consistency': 'linearizable',
  'follower-writes': 'forward',
  'log-level': 'info',
} as const

/** The library refuses a smaller ratio of the two timings (F1). */
const HEARTBEATS_PER_ELECTION = 3
export const PEERS_VARIABLE = 'HELIOS_RAFT_PEERS'

export const ATLAS_FLAGS: readonly FlagSpec[] = [
  value('data-dir', 'DIR', `where data lies; created if missing (default ${DEFAULTS['data-dir']})`),
  value('listen', 'HOST:PORT', `RESP, for redis-cli and Redis clients (default ${DEFAULTS.listen})`),
  { name: 'raft', kind: 'boolean', help: 'false: a single node that ignores peers (default true)' },
  value('raft-node-id', 'ID', `name of this node; needed with peers (default ${DEFAULTS['raft-node-id']})`),
  value('raft-addr', 'HOST:PORT', `where the other nodes reach this one (default ${DEFAULTS['raft-addr']})`),
  value('raft-data-dir', 'DIR', 'where the log lies (default <data-dir>/raft)'),
  value('raft-peers', 'LIST', `the other nodes, node-2:127.0.0.1:7001,node-3:… (or ${PEERS_VARIABLE})`),
  value('raft-join', 'HOST:PORT', 'HTTP or RESP address of a member of the cluster to join; several with commas'),
  value('http', 'HOST:PORT', 'HTTP and JSON; off leaves it out (default off)'),
  value('election-timeout', 'TIME', `drawn from one to two times this (default ${DEFAULTS['election-timeout']})`),
  value('heartbeat-interval', 'TIME', `at most a third of it (default ${DEFAULTS['heartbeat-interval']})`),
  value('read-consistency', 'LEVEL', `${READ_CONSISTENCY_NAMES} (default ${DEFAULTS['read-consistency']})`),
  value('follower-writes', 'HOW', `forward, reject or moved (default ${DEFAULTS['follower-writes']})`),
  { name: 'insecure', kind: 'boolean', help: 'allow Raft beyond loopback without encryption (default false)' },
  value('log-level', 'LEVEL', `debug, info, warn or error (default ${DEFAULTS['log-level']})`),
  { name: 'version', kind: 'boolean', help: 'print the version and exit' },
  { name: 'help', kind: 'boolean', help: 'print this and exit' },
]

function value(name: string, placeholder: string, help: string): FlagSpec {
  return { name, kind: 'value', placeholder, help }
}

/** The text of --help. */
export function atlasHelp(): string {
  const lines = ATLAS_FLAGS.map(({ name, placeholder, help }) => {
    return `  ${`--${name}${placeholder ? ` ${placeholder}` : ''}`.padEnd(30)} ${help}`
  })
  return `usage: helios-atlasd [flags]\n\nA replicated key-value server that Redis clients can talk to.\n\n${lines.join('\n')}\n`
}

/** Settings, or what was asked for instead. Throws UsageError. */
export function resolveAtlasOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): AtlasOptions | 'help' | 'version' {
  const flags = parseFlags(argv, ATLAS_FLAGS)
  if (flags.get('help') === 'true') return 'help'
  if (flags.get('version') === 'true') return 'version'
  const of = (name: keyof typeof DEFAULTS): string => flags.get(name) ?? DEFAULTS[name]
  const nodeId = nodeIdOf(of('raft-node-id'), '--raft-node-id')
  const raft = addressOf(of('raft-addr'), '--raft-addr')
  const resp = addressOf(of('listen'), '--listen')
  const http = of('http') === 'off' ? null : addressOf(of('http'), '--http')
  const insecure = flags.get('insecure') === 'true'
  const timings = resolveTimings(of('election-timeout'), of('heartbeat-interval'))
  return Object.freeze({
    dataDirectory: of('data-dir'),
    raftDirectory: flags.get('raft-data-dir') ?? join(of('data-dir'), 'raft'),
    nodeId,
    resp,
    http,
    raft: checkedRaft(raft, insecure),
    peers: resolvePeers(flags, environment, { id: nodeId, address: formatAddress(raft) }),
    join: resolveJoin(flags, environment, raft),
    ...timings,
    readConsistency: oneOf(of('read-consistency'), '--read-consistency', READ_CONSISTENCIES),
    followerWrites: oneOf(of('follower-writes'), '--follower-writes', ['forward', 'reject', 'moved']),
    insecure,
    logLevel: levelOf(of('log-level')),
    warnings: openings({ listen: resp, http, 'raft-addr': raft }),
  })
}

function resolveTimings(
  election: string,
  heartbeat: string,
): { readonly electionTimeoutMs: number; readonly heartbeatIntervalMs: number } {
  const electionTimeoutMs = durationOf(election, '--election-timeout')
  const heartbeatIntervalMs = durationOf(heartbeat, '--heartbeat-interval')
  if (electionTimeoutMs < HEARTBEATS_PER_ELECTION * heartbeatIntervalMs) {
    throw new UsageError(
      `--election-timeout ${election} is less than three times --heartbeat-interval ${heartbeat}: raise the first or lower the second`,
    )
  }
  return { electionTimeoutMs, heartbeatIntervalMs }
}

function resolvePeers(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
  self: Peer,
): readonly Peer[] {
  const flag = flags.get('raft-peers')
  if (flags.get('raft') === 'false') {
    if (flag === undefined) return []
    throw new UsageError('--raft=false runs a single node, but --raft-peers names others: drop one of the two')
  }
  const text = flag ?? environment[PEERS_VARIABLE] ?? ''
  if (text.trim() === '') return []
  const where = flag === undefined ? PEERS_VARIABLE : '--raft-peers'
  const listed = peersOf(text, where)
  if (!flags.has('raft-node-id')) {
    throw new UsageError(`${where} names other nodes, so this one needs a name of its own: add --raft-node-id`)
  }
  // One list for all nodes is a common habit: the own entry is no peer, as long as it says the same.
  const own = listed.find((peer) => peer.id === self.id)
  if (own !== undefined && own.address !== self.address) {
    throw new UsageError(
      `${where} lists this node, ${self.id}, at ${own.address}, but --raft-addr says ${self.address}: peers are the other nodes`,
    )
  }
  const peers = listed.filter((peer) => peer.id !== self.id)
  const same = peers.find((peer) => peer.address === self.address)
  if (same === undefined) return peers
  throw new UsageError(`${where} lists ${same.id} at ${same.address}, which is this node's own --raft-addr`)
}

function resolveJoin(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
  raft: Address,
): readonly Address[] {
  const text = flags.get('raft-join')
  if (text === undefined) return []
  if (flags.get('raft') === 'false') {
    throw new UsageError('--raft=false runs a single node, but --raft-join asks for a cluster: drop one of the two')
  }
  const where = flags.has('raft-peers') ? '--raft-peers' : PEERS_VARIABLE
  if (flags.has('raft-peers') || (environment[PEERS_VARIABLE] ?? '').trim() !== '') {
    throw new UsageError(`${where} founds a cluster and --raft-join joins one that runs: drop one of the two`)
  }
  if (!flags.has('raft-node-id')) {
    throw new UsageError('--raft-join needs a name for this node that no member has: add --raft-node-id')
  }
  if (isWildcard(raft) || raft.port === 0) {
    throw new UsageError(
      `--raft-join tells the members to dial --raft-addr, and ${formatAddress(raft)} can't be dialled: name a host and a port`,
    )
  }
  return text.split(',').map((address) => {
    const member = addressOf(address.trim().replace(/^(http|redis):\/\//, ''), '--raft-join')
    if (member.host !== '' && member.port !== 0) return member
    throw new UsageError(`--raft-join is ${quote(address)}, but the address of another node is needed, with its host`)
  })
}

function checkedRaft(raft: Address, insecure: boolean): Address {
  if (isLoopback(raft) || insecure) return raft
  throw new UsageError(
    `--raft-addr ${formatAddress(raft)} is open to the network without encryption: use 127.0.0.1, or add --insecure to accept that whoever reaches it can read and change everything`,
  )
}

function openings(addresses: Readonly<Record<string, Address | null>>): readonly string[] {
  const warnings: string[] = []
  for (const [name, address] of Object.entries(addresses)) {
    if (address === null || isLoopback(address)) continue
    const reach = isWildcard(address) ? 'all interfaces' : 'the network'
    warnings.push(`--${name} ${formatAddress(address)} is open to ${reach} without password or encryption`)
  }
  return warnings
}

function oneOf<T extends string>(text: string, where: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text)
  if (choice !== undefined) return choice
  throw new UsageError(`${where} is ${quote(text)}, but it must be one of ${choices.join(', ')}`)
}

function levelOf(text: string): LogLevel {
  if (isLogLevel(text)) return text
  throw new UsageError(`--log-level is ${quote(text)}, but it must be one of debug, info, warn, error`)
}
