// A cluster whose state machines add up what sessions bring them.
import type { Session } from 'helios-raft'
import { expect } from 'vitest'
import { TestCluster, type TestNode } from '../harness.js'

export class SessionStage extends TestCluster {
  open(node: TestNode, options = {}): Promise<Session<Uint8Array, number>> {
    return this.settled(node.openSession(options))
  }

  /** Everybody applied everything, and that adds up to it. */
  async expectTotal(total: number): Promise<void> {
    const { commitIndex } = this.leader.status()
    await this.runUntil(() => [...this.nodes.values()].every((node) => node.status().lastApplied >= commitIndex))
    expect(this.ids.map((id) => this.machine(id).total)).toEqual(this.ids.map(() => total))
  }
}
