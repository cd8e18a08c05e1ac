// Asks nodes of a simulated cluster for changes of the membership, as an operator would, and holds what the calls say
// against the committed log (F22-F24): one that resolves is committed and is what was asked for, and each settles in time.
import { isDeepStrictEqual } from 'node:util'
import type { Configuration, MemberSpec, NodeId } from '../core/types.js'
import { isRaftError } from '../errors.js'
import type { StateMachine } from '../interfaces/state-machine.js'
import type { MembershipOptions } from '../node/calls.js'
import type { RaftNode } from '../node/raft-node.js'
import type { Coverage } from './coverage.js'
import type { ChangeFault } from './fault-plan.js'
import type { Incarnation } from './incarnation.js'
import type { Invariants } from './invariants.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'
import { VirtualNetwork } from './virtual-network.js'

/** How long a change may take unless it says so, in election timeouts. */
const CHANGE_TIMEOUTS = 20

/** How late a call may settle after its deadline, ms: nodes look at deadlines in steps. */
const DEADLINE_SLACK_MS = 50

/** What is wrong with the node, and not with the wish. */
const DAMNING_CODES: readonly string[] = ['RAFT_INVARIANT', 'RAFT_CORRUPTION', 'RAFT_IDENTITY', 'RAFT_STATE_MACHINE']

export interface ChangesWorld {
  readonly timeline: Timeline
  readonly invariants: Invariants
  readonly coverage: Coverage
  readonly electionTimeoutMs: number
  readonly slowestRate: number
  /** The node comes with another store than it had: a cluster that knows it says so, and is right (F25). */
  readonly wasWiped: (node: NodeId) => boolean
}

interface OpenChange {
  readonly node: NodeId
  /** Whether its process lives and moves, so that somebody could hear of the end. */
  readonly isHeard: () => boolean
  readonly abort: AbortController
}

/** Of one cluster. */
export class MembershipChanges {
  readonly #world: ChangesWorld
  readonly #open = new Set<OpenChange>()
  #wereAsked = false

  constructor(world: ChangesWorld) {
    this.#world = world
  }

  /** Whether anything was ever asked. */
  get wereAsked(): boolean {
    return this.#wereAsked
  }

  /** Asks `process`; a `node` that is a word was replaced by the id that it stands for. */
  ask<Command, Result, SM extends StateMachine<Command, Result>>(
    process: SimulatedProcess<Command, Result, SM>,
    fault: ChangeFault,
  ): void {
    const { current } = process
    if (current === null || !process.isUp || process.isPaused) return
    const { timeline, invariants, electionTimeoutMs, slowestRate, wasWiped } = this.#world
    const { timeoutMs = CHANGE_TIMEOUTS * electionTimeoutMs } = fault
    const pauses = current.pauseCount
    const isHeard = (): boolean =>
      process.current === current && process.state !== 'failed' && current.pauseCount === pauses
    const abort = new AbortController()
    const open: OpenChange = { node: process.id, isHeard, abort }
    this.#open.add(open)
    this.#wereAsked = true
    const latestMs = timeline.nowMs + timeoutMs / slowestRate + DEADLINE_SLACK_MS
    const settled = (end: string): void => {
      this.#open.delete(open)
      this.#world.coverage.count(`change.${fault.type}.${end}`)
      if (timeline.nowMs > latestMs && isHeard())
        invariants.fail('call-deadline', `${process.id}: a ${fault.type} settled after its deadline (F14)`)
    }
    begin(current, fault, { timeoutMs, signal: abort.signal }).then(
      (configuration) => {
        settled('resolved')
        this.#judge(process.id, fault, configuration)
      },
      (error: unknown) => {
        settled(isRaftError(error) ? error.code : 'error')
        if (isRaftError(error) && !DAMNING_CODES.includes(error.code)) return
        if (isRaftError(error, 'RAFT_IDENTITY') && 'node' in fault && wasWiped(fault.node)) return
        invariants.fail('call-error', `${process.id}: a ${fault.type} rejected with ${String(error)}`)
      },
    )
  }

  /** Nobody waits for a change any more: what is not on the way to its vote is called off. */
  end(): void {
    for (const { abort } of this.#open) abort.abort(new Error('the part with faults is over'))
  }

  /** Every call has settled that somebody could still hear of (F14). */
  checkSettled(): void {
    for (const { node, isHeard } of this.#open) {
      if (isHeard())
        this.#world.invariants.fail('call-settles', `${node}: a change of the membership never settled (F14)`)
    }
  }

  #judge(id: NodeId, fault: ChangeFault, configuration: Configuration): void {
    const { invariants } = this.#world
    const all = invariants.committed.configurations
    const fail = (problem: string): void =>
      invariants.fail('change-result', `${id}: a ${fault.type} resolved with a configuration that ${problem}`)
    if (!all.some((held) => isDeepStrictEqual(held.configuration, configuration))) fail('is not committed (F22)')
    else if (configuration.votersOutgoing.length > 0) fail('is joint')
    else if (!isAsAsked(fault, configuration)) fail('is not what was asked for')
  }
}

function begin<Command, Result, SM>(
  { node }: Incarnation<Command, Result, SM>,
  fault: ChangeFault,
  options: MembershipOptions,
): Promise<Configuration> {
  switch (fault.type) {
    case 'add':
      return node.addMember(memberOf(fault.node, fault.suffrage), options)
    case 'promote':
      return node.promote(fault.node, options)
    case 'demote':
      return node.demote(fault.node, options)
    case 'remove':
      return node.removeMember(fault.node, options)
    case 'members':
      return replace(node, fault, options)
  }
}

function replace<Command, Result>(
  node: RaftNode<Command, Result>,
  { voters, learners = [] }: Extract<ChangeFault, { type: 'members' }>,
  options: MembershipOptions,
): Promise<Configuration> {
  const members = [...voters.map((id) => memberOf(id)), ...learners.map((id) => memberOf(id, 'learner'))]
  return node.changeMembership(members, options)
}

function memberOf(id: NodeId, suffrage: 'voter' | 'learner' = 'voter'): MemberSpec {
  return { id, address: VirtualNetwork.addressOf(id), suffrage }
}

function isAsAsked(fault: ChangeFault, { members }: Configuration): boolean {
  const suffrageOf = (id: NodeId) => members.find((member) => member.id === id)?.suffrage
  switch (fault.type) {
    case 'add':
      // A wish that names no suffrage is for a voter; who is not there has none either.
      return suffrageOf(fault.node) === 'voter' || suffrageOf(fault.node) === (fault.suffrage ?? 'voter')
    case 'promote':
      return suffrageOf(fault.node) === 'voter'
    case 'demote':
      return suffrageOf(fault.node) === 'learner'
    case 'remove':
      return suffrageOf(fault.node) === undefined
    case 'members': {
      const { voters, learners = [] } = fault
      if (members.length !== voters.length + learners.length) return false
      return voters.every((id) => suffrageOf(id) === 'voter') && learners.every((id) => suffrageOf(id) === 'learner')
    }
  }
}
