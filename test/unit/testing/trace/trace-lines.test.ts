import { describe, expect, it } from 'vitest'
import type { Message } from '../../../../src/core/index.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import { LIBRARY_VERSION } from '../../../../src/testing/trace/format.js'

type Fields = Record<string, unknown>

/** Every field of every message: the compiler holds this table against `messages.ts`. */
const MESSAGE_FIELDS: { readonly [Type in Message['type']]: readonly (keyof Extract<Message, { type: Type }>)[] } = {
  preVote: ['type', 'term', 'round', 'lastLogIndex', 'lastLogTerm'],
  preVoteResponse: ['type', 'term', 'round', 'voteGranted'],
  requestVote: ['type', 'term', 'lastLogIndex', 'lastLogTerm', 'leadershipTransfer'],
  requestVoteResponse: ['type', 'term', 'voteGranted'],
  appendEntries: ['type', 'term', 'addedAt', 'prevLogIndex', 'prevLogTerm', 'leaderCommit', 'entries'],
  appendEntriesResponse: ['type', 'term', 'addedAt', 'outcome', 'index', 'hintIndex', 'hintTerm'],
  heartbeat: [
    ...(['type', 'term', 'addedAt', 'prevLogIndex', 'prevLogTerm', 'leaderCommit', 'round'] as const),
    ...(['sentMs', 'echoMs', 'echoBoot', 'quorumAgeMs', 'leaseMs'] as const),
  ],
  heartbeatResponse: ['type', 'term', 'addedAt', 'round', 'index', 'sentMs', 'boot', 'echoMs', 'leaseMs'],
  proposeRequest: ['type', 'term', 'boot', 'number', 'entryType', 'commands'],
  proposeResponse: ['type', 'term', 'boot', 'number', 'refusal', 'firstIndex', 'entryTerm'],
  replicasRequest: ['type', 'term', 'boot', 'number', 'index'],
  replicasResponse: ['type', 'term', 'boot', 'number', 'count'],
  readIndexRequest: ['type', 'term', 'boot', 'number', 'byLease'],
  readIndexResponse: ['type', 'term', 'boot', 'number', 'readIndex'],
  timeoutNow: ['type', 'term'],
  installSnapshot: [
    ...(['type', 'term', 'addedAt', 'transfer', 'meta', 'digest', 'sizeBytes', 'offset', 'chunk', 'chunkCrc'] as const),
  ],
  installSnapshotResponse: ['type', 'term', 'addedAt', 'transfer', 'outcome', 'offset', 'index'],
  membershipRequest: ['type', 'term', 'boot', 'number', 'change', 'force'],
  membershipResponse: [
    ...(['type', 'term', 'boot', 'number', 'outcome', 'problem'] as const),
    ...(['member', 'index', 'lastIndex', 'configuration'] as const),
  ],
}

const STEPS = [
  ...['init', 'tick', 'timeout', 'receive', 'propose', 'persist', 'apply', 'read', 'peerStatus', 'send'],
  ...['becomePreCandidate', 'becomeCandidate', 'becomeLeader', 'becomeFollower', 'append', 'commit', 'configuration'],
  ...['start', 'restart', 'crash', 'durable', 'fault', 'stateMachineApplied', 'invoke', 'return', 'end'],
]

const STATE_FIELDS = [
  ...[
    'currentTerm',
    'votedFor',
    'role',
    'leaderId',
    'commitIndex',
    'lastApplied',
    'lastIndex',
    'lastTerm',
    'persisted',
  ],
  ...['voters', 'votersOutgoing', 'grants', 'preVotes', 'peers'],
]

async function linesOf(seed: bigint): Promise<readonly Fields[]> {
  const lines: Fields[] = []
  await runSeed(seed, { onTrace: (line) => lines.push(JSON.parse(line) as Fields) })
  return lines
}

describe('the lines of a trace', () => {
  it('hold every step, and each message sent and received with all of its fields', async () => {
    const steps = new Set<string>()
    const sent = new Map<string, Set<string>>()
    const received = new Map<string, Set<string>>()
    const note = (seen: Map<string, Set<string>>, message: Fields): void => {
      const type = String(message['type'])
      seen.set(type, new Set([...(seen.get(type) ?? []), ...Object.keys(message)]))
    }
    for (let seed = 1n; seed <= 6n; seed++) {
      for (const line of (await linesOf(seed)).slice(1)) {
        steps.add(String(line['step']))
        if (line['step'] === 'send') note(sent, line['message'] as Fields)
        if (line['step'] === 'receive') note(received, (line['event'] as Fields)['message'] as Fields)
      }
    }
    expect(STEPS.filter((step) => !steps.has(step))).toEqual([])
    for (const [type, fields] of Object.entries(MESSAGE_FIELDS)) {
      // Nobody hands over in these runs, and no log is compacted.
      if (type === 'timeoutNow' || type.startsWith('installSnapshot')) continue
      // Nobody hands over or changes the membership in these runs.
      if (['timeoutNow', 'membershipRequest', 'membershipResponse'].includes(type)) continue
      // Nor does anybody count replicas.
      if (type.startsWith('replicas')) continue
      expect([...(sent.get(type) ?? [])].sort(), `sent ${type}`).toEqual([...fields].sort())
      expect([...(received.get(type) ?? [])].sort(), `received ${type}`).toEqual([...fields].sort())
    }
  }, 300_000)

  it('are numbered in the order of time, and say the state of each node that lives', async () => {
    const [header, ...lines] = await linesOf(5n)
    expect(header).toMatchObject({
      format: 'helios-raft-trace',
      version: 1,
      library: LIBRARY_VERSION,
      seed: '5',
      bug: null,
    })
    let atMs = 0
    lines.forEach((line, at) => {
      expect(line['number']).toBe(at + 2)
      expect(line['atMs']).toBeGreaterThanOrEqual(atMs)
      atMs = Number(line['atMs'])
      const { state } = line
      if (line['node'] === 'world') expect(state).toBeUndefined()
      else if (state !== null) expect(Object.keys(state as Fields)).toEqual(STATE_FIELDS)
    })
    expect(lines.at(-1)).toMatchObject({ step: 'end', violation: null, traceHash: (await runSeed(5n)).traceHash })
  })

  it('tell each entry that a follower drops, and each role with its term', async () => {
    const truncated: Fields[] = []
    for (let seed = 1n; seed <= 12n && truncated.length === 0; seed++) {
      for (const line of await linesOf(seed))
        if (line['step'] === 'append' && line['truncatesFrom'] !== null) truncated.push(line)
    }
    const [line] = truncated
    const entries = line?.['entries'] as readonly Fields[]
    expect(line?.['truncatesFrom']).toBe(entries[0]?.['index'])
    expect(Object.keys(entries[0] as Fields)).toEqual(
      expect.arrayContaining(['index', 'term', 'type', 'timestamp', 'data']),
    )
  }, 300_000)

  it('cost nothing of the hash: it is the same when nobody listens', async () => {
    for (const seed of [3n, 4n]) {
      const lines: string[] = []
      const traced = await runSeed(seed, { onTrace: (line) => lines.push(line) })
      expect(lines.length).toBeGreaterThan(100)
      expect(traced).toEqual(await runSeed(seed))
    }
  })
})
