// What may happen to a node, and what becomes of it: a step of its core, or a crash and the recovery from its disk. Beside
// node-run.ts the only place of the checker that runs the core.
import { InvariantViolation } from '../../core/assert.js'
import { encodeConfiguration } from '../../core/configuration-codec.js'
import { RaftCore } from '../../core/raft-core.js'
import { leaseEnd } from '../../core/lease.js'
import { RULES, type Rules } from '../../core/rules.js'
import type { CoreState, RestoredState } from '../../core/state.js'
import type { Configuration, LogEntry, Term } from '../../core/types.js'
import * as time from './abstract-time.js'
import { type Action, type LocalAction, localCode } from './action.js'
import { configurationOf, type HeldConfiguration, initialConfiguration } from './configurations.js'
import type { RemovedGuard } from './removed-guards.js'
import * as disks from './disk.js'
import { type Broken, checkDisk } from './invariants.js'
import { type Model, nodeNumber, type StartDisk } from './model.js'
import { coreOptions, isJudged, NodeRun, type Stepped } from './node-run.js'
import type { NodeState } from './node-state.js'
import { deadFromTerm, type Packet } from './packet.js'
import { recovered } from './snapshots.js'

const NO_GUARD: Partial<RemovedGuard> = {}

export class Environment {
  readonly model: Model
  readonly #rules: Rules
  readonly #guard: Partial<RemovedGuard>
  /** That all nodes begin with; null where one founds it. */
  readonly #configuration: Configuration | null

  constructor(model: Model, guard: RemovedGuard | null = null) {
    this.model = model
    this.#guard = guard ?? NO_GUARD
    this.#rules = { ...RULES, ...this.#guard.rules }
    this.#configuration = model.start.type === 'unfounded' ? null : initialConfiguration(model)
  }

  /** A node that starts on what the model puts on its disk; on nothing where it puts nothing. */
  initial(node: number): NodeState {
    const { start } = this.model
    const disk = 'disks' in start ? start.disks[node] : undefined
    return this.#restart({
      node,
      boot: 1,
      disk: disk === undefined ? disks.EMPTY_DISK : startDisk(disk),
      now: time.NOW,
    })
  }

  /** Codes of what may happen to a node in this state by itself; crashes and the like as far as the run has some left. */
  localActions({ node, core, disk }: NodeState): readonly number[] {
    const { maxTerm, maxEntries, crashes, reads, heartbeats, preVote, candidates } = this.model
    const actions: LocalAction[] = []
    if (core.role === 'leader') {
      actions.push('quorumLost')
      const isLastTerm = core.currentTerm >= maxTerm
      if (heartbeats === 'any' || (heartbeats === 'beforeLastTerm' && !isLastTerm)) actions.push('heartbeatDue')
      if (core.log.lastIndex < maxEntries) actions.push('propose')
      if (core.transfer !== null) actions.push('transferOver')
    } else if ((core.currentTerm < maxTerm || preVote === 'real') && (candidates?.includes(node) ?? true)) {
      actions.push('electionTimeout')
    }
    if (disk.running !== null) actions.push('persist')
    else if (disk.installing !== null) actions.push('install')
    if (this.#mayTakeSnapshot(node, core)) actions.push('snapshot')
    if (this.#mayFound(node, core, disk)) actions.push('found')
    if (crashes > 0) {
      actions.push('crash')
      if (this.model.wipes) actions.push('wipe')
      if (disk.running !== null) actions.push('crashAfterWrite')
    }
    if (reads > 0 && core.leaderId !== null) actions.push('read')
    if (this.model.leases > 0 && core.now < leaseEnd(core)) actions.push('readByLease')
    return [...actions.map((action) => localCode(action)), ...this.#asked(core)]
  }

  /** All others are empty, as they were in the beginning; who lost its disk meets some that are not. */
  #mayFound(node: number, { log }: CoreState, { isWiped }: disks.Disk): boolean {
    return this.model.start.type === 'unfounded' && node === 0 && !isWiped && log.configurations.length === 0
  }

  #mayTakeSnapshot(node: number, { installing, lastApplied, snapshotIndex }: CoreState): boolean {
    return this.model.snapshotters.includes(node) && installing === null && lastApplied > snapshotIndex
  }

  /** What clients may ask a leader for, beside commands. */
  #asked({ role, transfer, change, quorum, leaderId }: CoreState): readonly number[] {
    const { transfers, changes } = this.model
    if (role !== 'leader' || transfer !== null) return []
    const targets = transfers ? quorum.incoming.filter((id) => id !== leaderId) : []
    const handed = targets.map((id) => localCode('transfer', nodeNumber(id)))
    return change === null ? [...handed, ...changes.map((_, at) => localCode('change', at))] : handed
  }

  /**
   * From which durable term of its receiver on a packet is taken out of the network. Where a guard changes what arrives
   * nothing is: a packet that the core ignores may become one that it doesn't.
   */
  deadFromTerm(packet: Packet): Term {
    return this.#guard.changeEvent === undefined ? deadFromTerm(packet) : Number.POSITIVE_INFINITY
  }

  /** Whether delivering it late can be anything else than delivering it at once. */
  mayBeLate({ message }: Packet): boolean {
    const { type } = message
    if (type === 'heartbeatResponse') return this.model.resends
    return this.model.preVote === 'real' && (type === 'preVote' || type === 'requestVote')
  }

  step(state: NodeState, action: Action): Stepped {
    if (action.type === 'local' && action.action === 'wipe') return this.#wipe(state)
    if (action.type === 'local' && (action.action === 'crash' || action.action === 'crashAfterWrite')) {
      return this.#crash(state, action.action === 'crashAfterWrite')
    }
    const run = new NodeRun(state, this.model, this.#rules, this.#guard)
    try {
      if (action.type === 'deliver') run.deliver(action.packet, action.isLate)
      else run.act(action.action, action.parameter)
      run.finish()
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error
      const broken: Broken = { invariant: 'core assertion', detail: error.message }
      // A node that stops itself does no harm: where the assertion is left out, nothing follows.
      return { state, sent: [], reads: [], commits: [], broken: isJudged(this.#guard, broken) ? broken : null }
    }
    return run.result()
  }

  #crash({ node, boot, disk, core: { now } }: NodeState, survives: boolean): Stepped {
    const recover = this.#guard.recovered ?? recovered
    const after = recover(disks.afterCrash(disk, survives))
    const nextBoot = this.model.reads > 0 ? boot + 1 : boot
    const state = this.#restart({ node, boot: nextBoot, disk: after, now })
    const broken = checkDisk(disk, after)
    return {
      state,
      sent: [],
      reads: [],
      commits: [],
      broken: broken !== null && isJudged(this.#guard, broken) ? broken : null,
    }
  }

  #wipe({ node, boot, core: { now } }: NodeState): Stepped {
    return unmoved(this.#restart({ node, boot, disk: disks.WIPED_DISK, now }))
  }

  #restart({ node, boot, disk, now }: Pick<NodeState, 'node' | 'boot' | 'disk'> & { readonly now: number }): NodeState {
    const options = coreOptions(this.model, node, boot)
    const core = new RaftCore(options, this.#restored(disk), now, this.#rules)
    time.forgetTime(core.state, { contact: false, leases: this.model.leases > 0 })
    return { node, boot, core: core.state, disk }
  }

  #restored(disk: disks.Disk): RestoredState {
    const { hardState, leasePromiseMs, terms, configurations, baseIndex, snapshot, isWiped } = disk
    const termRuns: { first: number; term: Term }[] = []
    terms.forEach((term, at) => {
      if (at >= baseIndex && termRuns.at(-1)?.term !== term) termRuns.push({ first: at + 1, term })
    })
    const previousTerm = terms[baseIndex - 1] ?? 0
    const log = { firstIndex: baseIndex + 1, lastIndex: terms.length, previousTerm, termRuns, logTime: 0 }
    const { lastIncludedIndex = 0, configurationIndex: index = 0, configuration: held } = snapshot?.meta ?? {}
    const isUnknown = isWiped && this.#guard.listIsConfiguration !== true
    const base = held ?? (isUnknown ? null : this.#configuration)
    const configuration = base === null ? null : { index, configuration: base }
    const configurationEntries = configurations
      .filter((each) => each.index > baseIndex)
      .map((each) => entryOf(each, terms))
    const founding = this.#isStillFounding(configurations) ? initialConfiguration(this.model).members : undefined
    return { hardState, leasePromiseMs, ...log, lastIncludedIndex, configuration, configurationEntries, founding }
  }

  /** The founder is alone in what its disk holds. */
  #isStillFounding(held: readonly HeldConfiguration[]): boolean {
    return this.#configuration === null && held.length === 1 && this.model.voters > 1
  }
}

/** What becomes of a node that nothing leaves. */
function unmoved(state: NodeState): Stepped {
  return { state, sent: [], reads: [], commits: [], broken: null }
}

function entryOf({ index, configuration }: HeldConfiguration, terms: readonly Term[]): LogEntry {
  const data = encodeConfiguration(configuration)
  return { index, term: terms[index - 1] as Term, type: 'configuration', timestamp: 0, data }
}

function startDisk({ hardState, terms, configurations = [] }: StartDisk): disks.Disk {
  const held = configurations.map(({ index, voters }) => ({ index, configuration: configurationOf(voters) }))
  return { ...disks.EMPTY_DISK, hardState, terms, configurations: held }
}
