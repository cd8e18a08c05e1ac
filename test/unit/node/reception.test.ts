// What of a peer reaches the core: nothing that counts from a store that is not the member's, nothing of another cluster (F25, F33).
import type { Message } from 'helios-raft/core'
import { describe, expect, test } from 'vitest'
import type { Identity } from '../../../src/node/identity.js'
import { Reception, type ReceptionContext } from '../../../src/node/reception.js'
import { initialState } from '../../../src/core/state.js'
import { CORE_OPTIONS, EMPTY_STORES } from './harness.js'

const heartbeat = { type: 'heartbeat', term: 1 } as Message

function stage(identity: Partial<Identity>) {
  const [pushed, adopted]: [string[], unknown[]] = [[], []]
  const told = { isFounded: true, isStranger: () => false, hasOtherStore: () => false, adoptFrom: () => null }
  const context: Partial<ReceptionContext> = {
    id: 'a',
    identity: { ...told, ...identity } as Identity,
    narrator: { onAdopted: () => undefined } as unknown as ReceptionContext['narrator'],
    state: initialState(CORE_OPTIONS, EMPTY_STORES, 0),
    isClosed: () => false,
    adopt: (each) => void adopted.push(each),
    push: (item) => void pushed.push(item.type === 'receive' ? item.message.type : item.type),
  }
  return { local: new Reception(context as ReceptionContext).local, pushed, adopted }
}

describe('receive', () => {
  test('counts no vote and no acknowledgement of another store, and hears the rest of it', () => {
    const { local, pushed } = stage({ hasOtherStore: (peer) => peer === 'b' })
    const answers = [
      'preVoteResponse',
      'requestVoteResponse',
      'appendEntriesResponse',
      'heartbeatResponse',
      'installSnapshotResponse',
    ]
    const others = [
      'preVote',
      'requestVote',
      'appendEntries',
      'heartbeat',
      'installSnapshot',
      'timeoutNow',
      'proposeRequest',
    ]
    for (const type of [...answers, ...others]) local.receive('b', { type, term: 1 } as Message)
    expect(pushed).toEqual(others)
    for (const type of answers) local.receive('c', { type, term: 1 } as Message)
    expect(pushed).toEqual([...others, ...answers])
  })

  test('takes nothing from a stranger', () => {
    const { local, pushed } = stage({ isStranger: () => true })
    local.receive('b', heartbeat)
    expect(pushed).toEqual([])
  })

  test('belongs to the cluster of a leader before it hears it, and hears none that says no cluster', () => {
    const mute = stage({ isFounded: false })
    mute.local.receive('b', heartbeat)
    expect([mute.pushed, mute.adopted]).toEqual([[], []])
    const identity = { clusterId: 'blue' } as ReturnType<Identity['founded']>
    const { local, pushed, adopted } = stage({ isFounded: false, adoptFrom: () => identity })
    local.receive('b', { type: 'requestVote', term: 1 } as Message)
    expect(adopted).toEqual([])
    local.receive('b', heartbeat)
    expect([pushed, adopted]).toEqual([['requestVote', 'heartbeat'], [identity]])
  })
})
