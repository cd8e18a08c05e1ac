// Which nodes a simulated cluster needs: by the configurations that its nodes hold, committed or not.
import { describe, expect, it } from 'vitest'
import { encodeConfiguration, type LogEntry } from '../../../src/core/index.js'
import type { Cluster } from '../../../src/testing/cluster.js'
import type { HeldConfiguration } from '../../../src/testing/committed-log.js'
import { canGoOn, currentMembers, isMember, whileUnchanged } from '../../../src/testing/quorum-view.js'
import { type Counter } from '../../support/counter.js'
import { heldAt } from './configurations.js'

interface Process {
  readonly id: string
  current: { readonly witness: { readonly configuration: HeldConfiguration | null } } | null
  readonly disk: { readonly entries: LogEntry[]; readonly wasWiped: boolean; readonly identity: null }
}

/** A cluster as far as it is looked at: who holds what, what is committed, who leads. */
class Stage {
  newest: HeldConfiguration | null
  version = 0
  leaderId: string | null = null
  readonly processes: Process[]
  readonly #listed = ['a', 'b', 'c']

  constructor(newest: HeldConfiguration | null, ...ids: string[]) {
    this.newest = newest
    this.processes = ids.map((id) => ({ id, current: null, disk: { entries: [], wasWiped: false, identity: null } }))
  }

  holds(id: string, held: HeldConfiguration): this {
    this.process(id).current = { witness: { configuration: held } }
    return this
  }

  process(id: string): Process {
    return this.processes.find((process) => process.id === id)!
  }

  get cluster(): Cluster<number, number, Counter> {
    const view = {
      leader: this.leaderId === null ? null : this.process(this.leaderId),
      invariants: { configurations: { newest: this.newest, version: this.version } },
      processes: this.processes,
      process: (id: string) => this.processes.find((process) => process.id === id) ?? null,
      isListed: (id: string) => this.#listed.includes(id),
      canFound: (nodes: readonly string[]) => this.#listed.every((id) => nodes.includes(id)),
    }
    return view as unknown as Cluster<number, number, Counter>
  }
}

describe('currentMembers', () => {
  it('is what the leader counts by, then the newest that is committed, then nobody', () => {
    const stage = new Stage(heldAt(2, 'a b c'), 'a', 'b', 'c').holds('a', heldAt(5, 'a b'))
    const ids = () => currentMembers(stage.cluster).members.map(({ id }) => id)
    expect(ids()).toEqual(['a', 'b', 'c'])
    stage.leaderId = 'a'
    expect(ids()).toEqual(['a', 'b'])
    stage.leaderId = null
    stage.newest = null
    expect(ids()).toEqual([])
  })
})

describe('isMember', () => {
  it('is who stands in what is committed and in what the leader counts by', () => {
    const stage = new Stage(heldAt(2, 'a b c'), 'a', 'b', 'c', 'd').holds('a', heldAt(5, 'a b d'))
    stage.leaderId = 'a'
    expect(['a', 'b', 'c', 'd', 'x'].filter((id) => isMember(stage.cluster, id))).toEqual(['a', 'b'])
  })

  it('is who is listed as long as nothing is committed', () => {
    const stage = new Stage(null, 'a', 'b', 'c', 'd')
    expect(['a', 'd'].filter((id) => isMember(stage.cluster, id))).toEqual(['a'])
  })

  it('is nobody whose disk was wiped, with the store that the members know', () => {
    const stage = new Stage(heldAt(2, 'a b'), 'a', 'b')
    const [, b] = stage.newest!.configuration.members
    Object.assign(b!, { storeId: 'lost' })
    expect(isMember(stage.cluster, 'b')).toBe(true)
    Object.assign(stage.process('b').disk, { wasWiped: true })
    expect(isMember(stage.cluster, 'b')).toBe(false)
  })
})

describe('canGoOn', () => {
  it('needs everybody who is listed until the cluster is founded', () => {
    for (const newest of [null, heldAt(1, 'a')]) {
      const { cluster } = new Stage(newest, 'a', 'b', 'c')
      expect([canGoOn(cluster, ['a', 'b', 'c']), canGoOn(cluster, ['a', 'b'])]).toEqual([true, false])
    }
  })

  it('needs a quorum of what is committed', () => {
    const { cluster } = new Stage(heldAt(3, 'a b c'), 'a', 'b', 'c')
    expect([canGoOn(cluster, ['a', 'b']), canGoOn(cluster, ['a'])]).toEqual([true, false])
  })

  it('needs one of each later configuration too that one of the nodes holds, and of no other', () => {
    const stage = new Stage(heldAt(3, 'a b c'), 'a', 'b', 'c', 'd', 'e')
    stage.holds('c', heldAt(7, 'c d e'))
    // Whoever of them leads counts by a, b and c.
    expect(canGoOn(stage.cluster, ['a', 'b'])).toBe(true)
    expect(canGoOn(stage.cluster, ['b', 'c'])).toBe(false)
    expect(canGoOn(stage.cluster, ['b', 'c', 'd'])).toBe(true)
  })

  it('looks for it on the disk of a node that is down, and takes the last one there', () => {
    const stage = new Stage(heldAt(3, 'a b c'), 'a', 'b', 'c', 'd', 'e')
    const on = ({ index, configuration }: HeldConfiguration): LogEntry => {
      return { index, term: 1, type: 'configuration', timestamp: 0, data: encodeConfiguration(configuration) }
    }
    stage.process('c').disk.entries.push(on(heldAt(4, 'b c')), on(heldAt(7, 'c d e')))
    stage.process('c').disk.entries.push({ index: 8, term: 1, type: 'noop', timestamp: 0, data: new Uint8Array(0) })
    expect([canGoOn(stage.cluster, ['b', 'c']), canGoOn(stage.cluster, ['b', 'c', 'd'])]).toEqual([false, true])
  })
})

it('whileUnchanged asks again when a configuration or the leader is another one, and not before', () => {
  const stage = new Stage(heldAt(2, 'a b'), 'a', 'b')
  const { cluster } = stage
  let asked = 0
  const answer = whileUnchanged(cluster, () => (asked += 1))
  expect([answer(), answer()]).toEqual([1, 1])
  Object.assign(cluster.invariants.configurations, { version: 1 })
  expect([answer(), answer()]).toEqual([2, 2])
  Object.assign(cluster, { leader: stage.process('b') })
  expect([answer(), answer()]).toEqual([3, 3])
})
