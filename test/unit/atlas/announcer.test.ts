// That a node tells the others where its clients reach it, and tells them again when the membership has forgotten it.
import type { Member } from 'helios-raft'
import { afterEach, describe, expect, it } from 'vitest'
import { Announcer } from '../../../examples/atlas-kv/src/server/announcer.js'

const ADDRESSES = { resp: 'h:63', http: 'h:80' }
const SELF: Member = { id: 'node-1', address: 'h:70', suffrage: 'voter' }
let announcer: Announcer | null = null

afterEach(() => announcer?.stop())

/** A node whose membership a test sets; `updated` resolves with each announcement. */
class FakeNode {
  readonly id = 'node-1'
  members: readonly Member[] = []
  announcements: object[] = []
  #listeners: (() => void)[] = []
  #onUpdate = (): void => {}

  async ready(): Promise<void> {}

  status() {
    return { configuration: { members: this.members } }
  }

  on(_name: 'configuration', listener: () => void): void {
    this.#listeners.push(listener)
  }

  async updateMember(id: string, { metadata }: { metadata: Record<string, string> }): Promise<void> {
    this.announcements.push(metadata)
    this.members = this.members.map((member) => (member.id === id ? { ...member, metadata } : member))
    this.#onUpdate()
  }

  /** A committed change. */
  set(members: readonly Member[]): void {
    this.members = members
    for (const listener of this.#listeners) listener()
  }

  updated(): Promise<void> {
    return new Promise((resolve) => (this.#onUpdate = resolve))
  }
}

/** It has looked by then. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

function announce(node: FakeNode): Promise<void> {
  announcer = new Announcer({ node: node as never, addresses: ADDRESSES })
  return announcer.run()
}

describe('Announcer', () => {
  it('announces what the membership does not say, and keeps what others put there', async () => {
    const node = new FakeNode()
    node.members = [{ ...SELF, metadata: { zone: 'b' } }]
    const updated = node.updated()
    void announce(node)
    await updated
    expect(node.announcements).toEqual([{ zone: 'b', ...ADDRESSES }])
  })

  it('announces again when the node was removed and added without what it had told', async () => {
    const node = new FakeNode()
    node.members = [{ ...SELF, metadata: ADDRESSES }]
    void announce(node)
    await nextTurn()
    node.set([])
    await nextTurn()
    const updated = node.updated()
    node.set([SELF])
    await updated
    expect(node.announcements).toEqual([ADDRESSES])
  })

  it('ends at stop, though there is nothing left to say', async () => {
    const node = new FakeNode()
    node.members = [{ ...SELF, metadata: ADDRESSES }]
    const run = announce(node)
    await nextTurn()
    announcer?.stop()
    await run
    expect(node.announcements).toEqual([])
  })
})
