// A disk that was wiped, as the judge of a simulation sees it: whose store is lost, and which hellos are to be refused (H19).
import { describe, expect, it } from 'vitest'
import { encodeHello, type Hello } from '../../../src/codec/hello.js'
import type { Configuration } from '../../../src/core/index.js'
import { RaftError } from '../../../src/errors.js'
import type { Cluster } from '../../../src/testing/cluster.js'
import { Coverage } from '../../../src/testing/coverage.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { runTurns } from '../../../src/testing/timeline.js'
import type { VirtualDisk } from '../../../src/testing/virtual-disk.js'
import type { VirtualTransport } from '../../../src/testing/virtual-network.js'
import { hasLostStore, judgeHello } from '../../../src/testing/wiped-disk.js'
import { type Counter } from '../../support/counter.js'
import { configuration } from './configurations.js'
import { Lab } from './lab.js'

/** `b` with the store that the entry of its configuration names. */
function knowing(storeId: string): Configuration {
  const { members, votersOutgoing } = configuration('a b')
  return { members: members.map((member) => (member.id === 'b' ? { ...member, storeId } : member)), votersOutgoing }
}

async function use(lab: Lab, storeId: string): Promise<VirtualDisk> {
  const disk = lab.disks.get('b')!
  const identity = { clusterId: 'c', nonce: 'n', storeId, bootCount: 1, leasePromiseMs: 0 }
  const store = disk.attach(new ProcessGate(lab.timeline))
  await Promise.all([store.write({ identity }), runTurns(() => lab.timeline.step(Number.POSITIVE_INFINITY))])
  return disk
}

/** First used as `old`, wiped, and used as `new`. */
async function wiped(): Promise<VirtualDisk> {
  const lab = new Lab('b')
  const disk = await use(lab, 'old')
  disk.wipe()
  return use(lab, 'new')
}

describe('hasLostStore', () => {
  it('is true of a wiped disk for who names the store that is gone, and for nobody else', async () => {
    const disk = await wiped()
    expect([disk.wasWiped, disk.identity?.storeId]).toEqual([true, 'new'])
    expect(hasLostStore(knowing('old'), 'b', disk)).toBe(true)
    expect(hasLostStore(knowing('new'), 'b', disk)).toBe(false)
    expect(hasLostStore(configuration('a b'), 'b', disk)).toBe(false)
    expect(hasLostStore(configuration('a'), 'b', disk)).toBe(false)
    expect(hasLostStore(undefined, 'b', disk)).toBe(false)
  })

  it('is false of a disk that was never wiped', async () => {
    expect(hasLostStore(knowing('other'), 'b', await use(new Lab('b'), 'old'))).toBe(false)
  })
})

describe('judgeHello', () => {
  const coverage = new Coverage()
  const judge = async (inForce: Configuration, { nonce = '', error = null }: { nonce?: string; error?: unknown }) => {
    const disk = await wiped()
    const processes = {
      a: { current: { witness: { configuration: { index: 1, configuration: inForce } } } },
      b: { disk },
    } as const
    const cluster = { coverage, process: (id: 'a' | 'b') => processes[id] }
    const hello: Hello = {
      minVersion: 1,
      maxVersion: 1,
      clusterId: 'c',
      nonce,
      nodeId: 'b',
      storeId: 'new',
      bootCount: 1,
      bootstrapDigest: nonce === '' ? 'digest' : '',
      maxMessageBytes: 1_000,
    }
    const ends = { by: { id: 'a' }, other: { id: 'b', local: { hello: encodeHello(hello) } }, error }
    return judgeHello(
      cluster as unknown as Cluster<number, number, Counter>,
      ends as unknown as { by: VirtualTransport; other: VirtualTransport; error: unknown },
    )
  }
  const refusal = new RaftError('RAFT_IDENTITY', 'another store')

  it('is content when a wiped node is refused by who knows its old store, and counts that', async () => {
    expect(await judge(knowing('old'), { error: refusal })).toBeNull()
    expect(coverage.toRecord()).toEqual({ 'point.wipedRefused': 1 })
  })

  it('is content when it is heard by who knows the new one, or when a leader has added it again (F33)', async () => {
    expect(await judge(knowing('new'), {})).toBeNull()
    expect(await judge(knowing('old'), { nonce: 'n' })).toBeNull()
  })

  it('complains when a wiped node is let in (H112)', async () => {
    expect(await judge(knowing('old'), {})).toMatch(/a let b in, whose disk was wiped/)
  })

  it('complains of a refusal without a reason, and of one for another reason', async () => {
    expect(await judge(knowing('new'), { error: refusal })).toMatch(/a refused the hello of b/)
    expect(await judge(knowing('old'), { error: new Error('odd') })).toMatch(/a refused the hello of b: Error: odd/)
  })
})
