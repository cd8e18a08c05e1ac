// The order in which a received snapshot takes the place of log and state: each step begins when the one before is over, so
// that a crash between any two leaves what a start can put right (F29, H55).
import { RaftError } from 'helios-raft'
import type { StoredSnapshot } from 'helios-raft'
import { describe, expect, it } from 'vitest'
import { installSnapshot } from '../../../src/node/install-snapshot.js'
import { configurationOf } from '../../support/core-cluster.js'
import { settle } from './harness.js'

const meta = { lastIncludedIndex: 5, lastIncludedTerm: 2, lastIncludedTimestamp: 0, configurationIndex: 0 }
const SNAPSHOT: StoredSnapshot = {
  meta: { ...meta, configuration: configurationOf(['a']) },
  sizeBytes: 0,
  digest: new Uint8Array(32),
  async *read() {},
}

/** Each step is told when it begins, and is over when the test says so. */
class Steps {
  readonly begun: string[] = []
  readonly failed: string[] = []
  closesAt = ''
  commitError: Error | null = null
  restoreError: Error | null = null
  readonly #open: (() => void)[] = []

  async step(name: string): Promise<void> {
    this.begun.push(name)
    await new Promise<void>((resolve) => this.#open.push(resolve))
  }

  /** Lets everything that has begun end. */
  async next(): Promise<void> {
    for (const end of this.#open.splice(0)) end()
    await settle()
  }

  run(): Promise<string> {
    const say = (name: string) => () => void this.begun.push(name)
    const part = (name: string) => ({
      pause: () => this.step(`pause ${name}`),
      resume: say(`resume ${name}`),
      idle: () => this.step(`idle ${name}`),
      received: () => undefined,
    })
    const commit = async (): Promise<StoredSnapshot> => {
      await this.step('commit')
      if (this.commitError !== null) throw this.commitError
      return SNAPSHOT
    }
    const restore = async (): Promise<void> => {
      await this.step('restore')
      if (this.restoreError !== null) throw this.restoreError
    }
    const stateMachine = { apply: () => null, snapshot: () => SNAPSHOT.read(), restore }
    return installSnapshot(
      {
        options: { stateMachine, snapshotStore: { latest: async () => SNAPSHOT } as never },
        applier: part('applier'),
        snapshotter: part('snapshotter'),
        reader: part('reader'),
        writer: { ...part('writer'), reset: ({ index, term }) => this.step(`reset ${index}/${term}`) },
        isClosed: () => this.closesAt !== '' && this.begun.includes(this.closesAt),
        onFailed: (from) => this.failed.push(`from ${from}`),
        onFatal: ({ code }) => this.failed.push(code),
      },
      { writtenBytes: 0, write: async () => {}, commit, abort: async () => void this.begun.push('abort') },
      { from: 'b', term: 2, addedAt: 0, transfer: 1 },
    )
  }
}

const ORDER = ['pause applier', 'pause snapshotter', 'idle writer', 'idle reader', 'commit', 'reset 5/2', 'restore']

describe('the installation of a snapshot', () => {
  it('stops the state, drains the log, commits, resets, restores, each behind the one before', async () => {
    const steps = new Steps()
    const outcome = steps.run()
    for (const begun of [2, 4, 5, 6, 7]) {
      await settle()
      expect(steps.begun).toEqual(ORDER.slice(0, begun))
      await steps.next()
    }
    expect(await outcome).toBe('installed')
    expect(steps.failed).toEqual([])
  })

  it('goes on as before when the content is not what it should be (F30)', async () => {
    const steps = new Steps()
    steps.commitError = new RaftError('RAFT_CORRUPTION', 'another digest')
    const outcome = steps.run()
    for (let turn = 0; turn < 3; turn++) await steps.next()
    expect(await outcome).toBe('failed')
    expect(steps.begun.slice(5)).toEqual(['abort', 'resume applier', 'resume snapshotter'])
    expect(steps.failed).toEqual(['from b'])
  })

  it('is fatal when the state machine can not take it: the log is gone already', async () => {
    const steps = new Steps()
    steps.restoreError = new Error('too large')
    const outcome = steps.run()
    for (let turn = 0; turn < 5; turn++) await steps.next()
    expect(await outcome).toBe('stopped')
    expect(steps.failed).toEqual(['RAFT_STATE_MACHINE'])
  })

  it.each(['idle writer', 'commit', 'reset 5/2', 'restore'])(
    'does nothing more when the node ends in %s',
    async (at) => {
      const steps = new Steps()
      steps.closesAt = at
      const outcome = steps.run()
      for (let turn = 0; turn < 6; turn++) await steps.next()
      expect(await outcome).toBe('stopped')
      const last = at === 'idle writer' ? 'idle reader' : at
      expect(steps.begun).toEqual(ORDER.slice(0, ORDER.indexOf(last) + 1))
      expect(steps.failed).toEqual([])
    },
  )
})
