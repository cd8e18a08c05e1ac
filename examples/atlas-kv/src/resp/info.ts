// INFO as Redis prints it, with the sections that hold something here and `# Raft` (atlas.md §3). Every number is read
// at the moment of the call; none is made up.
import type { Member, PeerStatus, RaftStatus } from 'helios-raft'
import { countMembers } from '../admin/node-view.js'
import type { RespHost } from './session.js'

/** Version of Redis whose commands and texts these are; clients look at it. */
const REDIS_VERSION = '7.0.15'
const KNOWN = ['server', 'clients', 'memory', 'persistence', 'stats', 'replication', 'keyspace', 'raft'] as const
type Section = (typeof KNOWN)[number]
type Line = readonly [key: string, value: string | number]

/** @param sections - lower case; none, `default`, `all` or `everything` for all of them; unknown ones show nothing */
export function renderInfo(host: RespHost, sections: readonly string[]): string {
  const all = sections.length === 0 || sections.some((name) => ['default', 'all', 'everything'].includes(name))
  const shown = KNOWN.filter((name) => all || sections.includes(name))
  return shown.map((name) => renderSection(name, SECTIONS[name](host))).join('\r\n')
}

/** The lines of `# Raft` with what the node waits for in words: RAFT STATUS. */
export function raftStatusText(host: RespHost): string {
  const { suffrage, votedFor, explanation, configuration } = host.status()
  const lines: readonly Line[] = [
    ...raftLines(host),
    ['raft_suffrage', suffrage],
    ['raft_voted_for', votedFor ?? ''],
    ['raft_configuration', configuration.votersOutgoing.length > 0 ? 'joint' : 'simple'],
    ['raft_explanation', explanation ?? ''],
  ]
  return lines.map(([key, value]) => `${key}:${value}\r\n`).join('')
}

function renderSection(name: Section, lines: readonly Line[]): string {
  const title = `# ${name[0]?.toUpperCase()}${name.slice(1)}`
  return [title, ...lines.map(([key, value]) => `${key}:${value}`), ''].join('\r\n')
}

const SECTIONS: Readonly<Record<Section, (host: RespHost) => readonly Line[]>> = {
  server: (host) => [
    ['redis_version', REDIS_VERSION],
    ['atlas_version', host.version],
    ['redis_mode', 'standalone'],
    ['os', `${process.platform} ${process.arch}`],
    ['arch_bits', 64],
    ['node_version', process.versions.node],
    ['process_id', process.pid],
    ['tcp_port', host.settings.port],
    ['uptime_in_seconds', Math.floor(process.uptime())],
    ['uptime_in_days', Math.floor(process.uptime() / 86_400)],
  ],
  clients: (host) => [['connected_clients', [...host.sessions()].length]],
  memory: () => {
    const { heapUsed, rss } = process.memoryUsage()
    return [
      ['used_memory', heapUsed],
      ['used_memory_rss', rss],
      ['maxmemory', 0],
      ['maxmemory_policy', 'noeviction'],
    ]
  },
  persistence: (host) => [
    ['loading', host.isLoading ? 1 : 0],
    ['rdb_bgsave_in_progress', host.admin.isSaving ? 1 : 0],
    ['rdb_last_save_time', host.admin.lastSaveAt],
    ['aof_enabled', 1],
    ['aof_fsync', 'every'],
  ],
  stats: ({ counters }) => [
    ['total_connections_received', counters.connectionsReceived],
    ['total_commands_processed', counters.commandsProcessed],
    ['rejected_connections', counters.connectionsRejected],
  ],
  replication: (host) => replicationLines(host.status()),
  keyspace: ({ state }) =>
    state.size === 0 ? [] : [['db0', `keys=${state.size},expires=${state.volatileCount},avg_ttl=0`]],
  raft: (host) => raftLines(host),
}

function replicationLines(status: RaftStatus): readonly Line[] {
  if (status.role === 'leader') {
    return [
      ['role', 'master'],
      ['connected_slaves', status.peers.filter((peer) => peer.state === 'replicate').length],
    ]
  }
  const { host, port } = splitAddress(status.leader)
  return [
    ['role', 'slave'],
    ['master_host', host],
    ['master_port', port],
    ['master_link_status', status.quorumOk ? 'up' : 'down'],
    ['slave_read_only', 0],
    ['connected_slaves', 0],
  ]
}

function splitAddress(member: Member | null): { readonly host: string; readonly port: string } {
  const address = member?.address ?? ''
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, Math.max(0, colon)), port: address.slice(colon + 1) }
}

function raftLines(host: RespHost): readonly Line[] {
  const status = host.status()
  const { voters, learners } = countMembers(status.configuration)
  return [
    ['raft_enabled', 1],
    ['raft_node_id', status.id],
    ['raft_state', raftState(status.role)],
    ['raft_leader', status.leader?.id ?? ''],
    ['raft_leader_addr', status.leader?.address ?? ''],
    ['raft_term', status.currentTerm],
    ['raft_commit_index', status.commitIndex],
    ['raft_last_applied', status.lastApplied],
    ['raft_last_log_index', status.lastIndex],
    ['raft_snapshot_index', status.snapshotIndex],
    ['raft_voters', voters],
    ['raft_learners', learners],
    ['raft_quorum_ok', status.quorumOk ? 1 : 0],
    ['raft_last_contact_ms', milliseconds(status.role === 'leader' ? 0 : status.leaderContactMs)],
    ['raft_read_consistency', host.settings.readConsistency],
    ['raft_durability', 'every'],
    ['raft_cluster_id', status.clusterId],
    ['raft_pending_proposals', status.pendingProposals],
    ...status.peers.map((peer, i): Line => [`raft_peer${i}`, peerLine(peer, status)]),
  ]
}

function raftState(role: RaftStatus['role']): string {
  if (role === 'preCandidate') return 'Candidate'
  return `${role[0]?.toUpperCase()}${role.slice(1)}`
}

function peerLine(peer: PeerStatus, status: RaftStatus): string {
  const { members, votersOutgoing } = status.configuration
  // Who leaves in a joint change is still dialled.
  const address = [...members, ...votersOutgoing].find((member) => member.id === peer.id)?.address ?? ''
  const lag = Math.max(0, status.lastIndex - peer.matchIndex)
  const contact = milliseconds(peer.lastContactMs)
  return `id=${peer.id},addr=${address},state=${peer.state},match=${peer.matchIndex},lag=${lag},last_contact_ms=${contact}`
}

/** Whole milliseconds; -1 for "never". */
function milliseconds(value: number | null): number {
  return value === null || !Number.isFinite(value) ? -1 : Math.round(value)
}
