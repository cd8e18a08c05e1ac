// Founding with fakes: whom a listed node waits for and says so, how it makes itself heard, and what listeners are told (F25).
import { NODE_RULES } from '../../../src/node/node-rules.js'
import type { StoreIdentity } from 'helios-raft'
import { type CoreState, type Message, Output } from 'helios-raft/core'
import { describe, expect, test } from 'vitest'
import { bootstrapConfiguration } from '../../../src/core/configuration.js'
import { initialState } from '../../../src/core/state.js'
import { Founding } from '../../../src/node/founding.js'
import type { Heard, Identity } from '../../../src/node/identity.js'
import { CORE_OPTIONS, EMPTY_STORES, ManualClock } from './harness.js'

const LIST = bootstrapConfiguration(['a', 'b', 'c'].map((id) => ({ id, address: `${id}:1` })))
const SILENT = { debug: () => undefined, warn: () => undefined, error: () => undefined }

/** A founding whose peers a test lets come and go. */
function stage(id: string, bootstrap: typeof LIST | null = LIST) {
  const clock = new ManualClock()
  const heard = new Map<string, Pick<Heard, 'nonce' | 'storeId' | 'hasList'>>()
  const [said, founded]: [string[], (readonly { id: string; storeId?: string | undefined }[])[]] = [[], []]
  const sent: { to: string; address: string; message: Message }[] = []
  const state: CoreState = initialState({ ...CORE_OPTIONS, id }, EMPTY_STORES, 0)
  const identity = {
    isFounded: false,
    storeId: `store-${id}`,
    heardOf: (peer: string) => heard.get(peer) ?? null,
    get foundedPeers() {
      return [...heard].filter(([, { nonce }]) => nonce !== '').map(([peer]) => peer)
    },
  }
  const founding = new Founding({
    rules: NODE_RULES,
    id,
    bootstrap,
    settings: { heartbeatIntervalMs: 50 },
    clock,
    logger: { ...SILENT, info: (_fields, message) => void said.push(message) },
    identity: identity as unknown as Identity & StoreIdentity,
    state,
    send: (to, message) => void sent.push({ to: to.id, address: to.address, message }),
    found: (members) => void founded.push(members),
  })
  const up = (peer: string, nonce = '', hasList = nonce === '') => {
    heard.set(peer, { nonce, storeId: `store-${peer}`, hasList })
    founding.onPeerStatus(peer, 'up')
  }
  return { clock, founding, founded, identity, said, sent, state, up }
}

describe('explanation', () => {
  test('names whom a node waits for, and how many are there', () => {
    const { founding, said, up } = stage('b')
    founding.begin()
    expect(founding.explanation).toBe('Waiting for a, c to found the cluster (1 of 3 members present)')
    up('a')
    expect(founding.explanation).toBe('Waiting for c to found the cluster (2 of 3 members present)')
    up('c')
    expect(founding.explanation).toBe('Waiting for a to found the cluster (3 of 3 members present)')
    founding.onPeerStatus('c', 'reset')
    founding.onPeerStatus('c', 'closed')
    expect(said).toEqual([
      'Waiting for a, c to found the cluster (1 of 3 members present)',
      'Waiting for c to found the cluster (2 of 3 members present)',
      'Waiting for a to found the cluster (3 of 3 members present)',
      'Waiting for c to found the cluster (2 of 3 members present)',
    ])
  })

  test('names a founder that was not given the list', () => {
    const { founding, up } = stage('b')
    founding.begin()
    up('c')
    up('a', '', false)
    expect(founding.explanation).toMatch(
      /^Waiting for a to found the cluster: it was started without the bootstrap list/,
    )
  })

  test('names whoever belongs to the cluster already, also where nobody listed does, and founds nothing', () => {
    const { founding, founded, up } = stage('a')
    founding.begin()
    up('later', 'first')
    up('b')
    up('c')
    expect(founded).toEqual([])
    expect(founding.explanation).toMatch(
      /^Waiting to be added: .* later belongs to it\. If 'a' is a member already, its disk was lost: remove 'a' .* first, then add it again$/,
    )
  })

  test('says that a node came too late, and that it waits for nobody', () => {
    const late = stage('a')
    late.founding.begin()
    late.up('b', 'first')
    late.up('c', 'first')
    expect(late.founding.explanation).toMatch(
      /^Waiting to be added: .* without this node's store, and b, c belong to it\. If 'a' is a member/,
    )
    expect(late.founded).toEqual([])
    expect(stage('a', null).founding.explanation).toBeNull()
    const joined = stage('b')
    joined.identity.isFounded = true
    expect(joined.founding.explanation).toBeNull()
  })
})

describe('the founder', () => {
  test('founds once, when all are there with empty stores, and says which stores', () => {
    const { founding, founded, up } = stage('a')
    founding.begin()
    up('b')
    founding.onPeerStatus('b', 'reset')
    up('c')
    expect(founded).toEqual([])
    up('b')
    founding.onPeerStatus('b', 'closed')
    up('b')
    expect(founded.map((members) => members.map(({ id, storeId }) => `${id}:${storeId}`))).toEqual([
      ['a:store-a', 'b:store-b', 'c:store-c'],
    ])
  })

  test('is nobody else, and founds nothing before it has begun or after its end', () => {
    for (const id of ['b', 'c']) {
      const { founding, founded, up } = stage(id)
      founding.begin()
      for (const peer of ['a', 'b', 'c']) if (peer !== id) up(peer)
      expect(founded).toEqual([])
    }
    const { founding, founded, up } = stage('a')
    up('b')
    up('c')
    expect(founded).toEqual([])
    founding.begin()
    expect(founded).toHaveLength(1)
    const ended = stage('a')
    ended.founding.begin()
    ended.founding.close()
    for (const peer of ['b', 'c']) ended.up(peer)
    expect(ended.founded).toEqual([])
  })
})

describe('knocking', () => {
  test('goes to who is listed and not connected, each heartbeat interval, until this node belongs to a cluster', async () => {
    const { clock, founding, identity, sent, up } = stage('b')
    founding.begin()
    expect(sent.map(({ to, address }) => `${to} ${address}`)).toEqual(['a a:1', 'c c:1'])
    expect(sent[0]?.message).toMatchObject({ type: 'preVoteResponse', term: 0, voteGranted: false })
    up('a')
    sent.length = 0
    await clock.run(100)
    expect(sent.map(({ to }) => to)).toEqual(['c', 'c'])
    identity.isFounded = true
    await clock.run(100)
    expect(sent).toHaveLength(2)
    expect(clock.timerCount).toBe(0)
  })

  test('ends with the node', async () => {
    const { clock, founding, sent } = stage('b')
    founding.begin()
    founding.close()
    await clock.run(500)
    expect(sent).toHaveLength(2)
    expect(clock.timerCount).toBe(0)
  })
})

describe('newsOf', () => {
  const alone = {
    ...LIST,
    members: LIST.members.map((m) => ({ ...m, suffrage: m.id === 'a' ? m.suffrage : ('learner' as const) })),
  }
  const led = (state: CoreState): Output => {
    const output = new Output()
    output.roles.push({ role: 'leader', previous: 'candidate', term: 2, reason: 'won' })
    output.leader = { id: 'a', term: 2 }
    Object.assign(state, { role: 'leader', currentTerm: 2, leaderId: 'a' })
    return output
  }

  test('keeps a leader to itself until the others are in, and then tells what was missed, once', () => {
    const { founding, state } = stage('a')
    state.log.configurations.push({ index: 1, configuration: alone })
    expect(founding.isUnderWay).toBe(true)
    expect(founding.explanation).toMatch(/is being founded/)
    expect(founding.newsOf(led(state))).toEqual({ roles: [], leader: undefined })
    state.log.configurations.push({ index: 3, configuration: LIST })
    expect(founding.newsOf(new Output())).toEqual({ roles: [], leader: undefined })
    state.commitIndex = 3
    expect(founding.newsOf(new Output())).toEqual({
      roles: [{ role: 'leader', previous: 'follower', term: 2, reason: 'the cluster is founded' }],
      leader: { id: 'a', term: 2 },
    })
    expect(founding.isUnderWay).toBe(false)
    expect(founding.newsOf(new Output())).toEqual({ roles: [], leader: undefined })
  })

  test('hides nothing where nobody else is to vote, or nothing is founded', () => {
    const single = bootstrapConfiguration([{ id: 'a', address: 'a:1' }])
    for (const bootstrap of [single, null]) {
      const { founding, state } = stage('a', bootstrap)
      state.log.configurations.push({ index: 1, configuration: single })
      const output = led(state)
      expect(founding.newsOf(output)).toEqual({ roles: output.roles, leader: output.leader })
    }
  })
})
