import { bytesCodec, MemoryNetwork, memoryStorage, presets, RaftError, type RaftNodeOptions } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { DEFAULTS, resolveOptions } from '../../../src/node/options.js'

const base = (): RaftNodeOptions => ({
  id: 'a',
  bootstrap: [{ id: 'a', address: 'a:1' }],
  ...memoryStorage(),
  transport: new MemoryNetwork().transport('a'),
  stateMachine: { apply: () => undefined, async *snapshot() {}, restore: async () => undefined },
  codec: bytesCodec,
})
const messageOf = (changes: object): string => {
  try {
    resolveOptions({ ...base(), ...changes })
  } catch (error) {
    expect(error).toBeInstanceOf(RaftError)
    expect(error).toMatchObject({ code: 'RAFT_INVALID_OPTION', outcome: 'rejected' })
    return (error as Error).message
  }
  return 'accepted'
}
const MIB = 1024 * 1024
const OVERHEAD = 96 + 32

describe('resolveOptions', () => {
  test('fills in the defaults and freezes', () => {
    const resolved = resolveOptions(base())
    expect(resolved).toMatchObject({
      electionTimeoutMs: 500,
      heartbeatIntervalMs: 100,
      forwardProposals: true,
      limits: DEFAULTS.limits,
    })
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.limits) && Object.isFrozen(resolved.bootstrap)).toBe(
      true,
    )
    expect(resolved.bootstrap?.members).toEqual([{ id: 'a', address: 'a:1', suffrage: 'voter' }])
  })

  test('takes undefined for an option that is not given', () => {
    expect(
      messageOf({ clock: undefined, seed: undefined, limits: { appendBytes: undefined }, bootstrap: undefined }),
    ).toBe('accepted')
  })

  test('accepts both presets', () => {
    expect(messageOf(presets.lan)).toBe('accepted')
    expect(messageOf(presets.wan)).toBe('accepted')
  })

  test('is not touched by later changes of the list that it was given', () => {
    const bootstrap = [{ id: 'a', address: 'a:1', metadata: { zone: 'x' } }]
    const resolved = resolveOptions({ ...base(), bootstrap })
    bootstrap[0]!.metadata.zone = 'y'
    bootstrap.push({ id: 'b', address: 'b:1', metadata: { zone: 'x' } })
    expect(resolved.bootstrap?.members).toMatchObject([{ id: 'a', metadata: { zone: 'x' } }])
  })

  test.each([
    ['an unknown option', { electionTimeout: 5 }, /'electionTimeout'.*electionTimeoutMs/],
    ['an unknown limit', { limits: { appendByte: 5 } }, /'appendByte'/],
    ['an id of other characters', { id: 'a/b' }, /'a\/b'/],
    [
      'a state machine without restore',
      { stateMachine: { apply: () => 0, snapshot: () => 0 } },
      /stateMachine has no method 'restore'/,
    ],
    ['no transport', { transport: undefined }, /transport is undefined/],
    ['an empty bootstrap list', { bootstrap: [] }, /there is no voter/],
    [
      'a bootstrap list without voters',
      { bootstrap: [{ id: 'a', address: 'a', suffrage: 'learner' }] },
      /there is no voter/,
    ],
    [
      'a member listed twice',
      {
        bootstrap: [
          { id: 'a', address: 'a' },
          { id: 'a', address: 'b' },
        ],
      },
      /'a' is listed twice/,
    ],
    [
      'a member with a bad id',
      {
        bootstrap: [
          { id: 'a', address: 'a' },
          { id: '', address: 'b' },
        ],
      },
      /'' is not a node id/,
    ],
    ['a bootstrap list without this node', { bootstrap: [{ id: 'b', address: 'b' }] }, /not this node, 'a'/],
    ['a member without an address', { bootstrap: [{ id: 'a', address: '' }] }, /address of 'a'/],
    ['a member of unknown suffrage', { bootstrap: [{ id: 'a', address: 'a', suffrage: 'witness' }] }, /'witness'/],
    ['an unknown field of a member', { bootstrap: [{ id: 'a', address: 'a', adress: 'a' }] }, /'adress'/],
    [
      'metadata of more than 1 KiB',
      { bootstrap: [{ id: 'a', address: 'a', metadata: { k: 'v'.repeat(1024) } }] },
      /1025 characters/,
    ],
    ['a cluster id of other characters', { clusterId: 'a b' }, /'a b'/],
    ['a seed that is no whole number', { seed: 0.5 }, /0.5/],
    ['an election timeout that is no number', { electionTimeoutMs: '500' }, /electionTimeoutMs is '500'/],
    ['a heartbeat of 0', { heartbeatIntervalMs: 0 }, /heartbeatIntervalMs is 0/],
    ['a limit of 0', { limits: { inflightMessages: 0 } }, /limits.inflightMessages is 0/],
    ['a limit that is no whole number', { limits: { appendBytes: 1.5 } }, /limits.appendBytes is 1.5/],
    ['commands larger than all that may wait', { limits: { uncommittedBytes: 100 } }, /limits.uncommittedBytes 100/],
    ['more entries than a message holds', { limits: { appendEntries: 65_537 } }, /65537.*65536/],
    ['forwardProposals that is no boolean', { forwardProposals: 'no' }, /'no'/],
  ])('refuses %s, naming it and its value', (_what, changes, message) => {
    expect(messageOf(changes)).toMatch(message)
  })

  test('demands three heartbeats in an election timeout: at the bound, and below it', () => {
    expect(messageOf({ electionTimeoutMs: 300, heartbeatIntervalMs: 100 })).toBe('accepted')
    expect(messageOf({ electionTimeoutMs: 301, heartbeatIntervalMs: 100 })).toBe('accepted')
    expect(messageOf({ electionTimeoutMs: 299, heartbeatIntervalMs: 100 })).toMatch(/299.*100.*300/)
  })

  test.each(['commandBytes', 'appendBytes'])(
    'demands that limits.%s and headers fit a message: at the bound, and beyond it (H124)',
    (name) => {
      const largest = 8 * MIB - OVERHEAD
      expect(messageOf({ limits: { [name]: largest - 1 } })).toBe('accepted')
      expect(messageOf({ limits: { [name]: largest } })).toBe('accepted')
      expect(messageOf({ limits: { [name]: largest + 1 } })).toMatch(/does not fit/)
    },
  )
})
