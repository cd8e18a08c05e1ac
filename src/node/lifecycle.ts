// From `new` to the end of a node: opens stores and transport in order, closes them in the opposite one, whatever
// happens in between and whenever `stop` is called (H109). Owns the phase; everything that runs is the Driver's.
import type { Configuration, Member } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Clock } from '../interfaces/clock.js'
import { Driver } from './driver.js'
import type { DriverHooks } from './driver-hooks.js'
import { invariantError, storeError, textOf, transportError } from './failures.js'
import { watchedBy } from './instrumentation.js'
import { type CoreObserver, type Internals, nodeRulesOf } from './internals.js'
import type { ResolvedOptions } from './options.js'
import { ReplicatedState, type RunningOptions } from './replicated-state.js'
import { closeStores, type Recovered, recover } from './recovery.js'
import { changedValues, type SettingChanges, Settings } from './settings.js'
import { idleStatus, type RaftStatus } from './status.js'

export type Phase = 'new' | 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

export interface LifecycleHooks extends Pick<DriverHooks, 'emit' | 'onLeading'> {}

export class Lifecycle {
  readonly #options: RunningOptions
  #internals: Internals
  readonly #hooks: LifecycleHooks
  readonly #ends: (() => void)[] = []
  #phase: Phase = 'new'
  #driver: Driver | null = null
  /** Why it failed, or why the start did. */
  #failure: RaftError | null = null
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #releasing: Promise<void> | undefined
  #hasOpenStores = false
  #hasTransport = false

  constructor(options: ResolvedOptions, internals: Internals, hooks: LifecycleHooks) {
    const stateMachine = new ReplicatedState({ ...options, rules: nodeRulesOf(internals) })
    const { electionTimeoutMs, heartbeatIntervalMs, snapshot, limits, ...fixed } = options
    const settings = new Settings({ electionTimeoutMs, heartbeatIntervalMs, snapshot, limits })
    this.#options = { ...fixed, stateMachine, settings }
    this.#internals = internals
    this.#hooks = hooks
  }

  /** The driver while the node runs; null before and after. */
  get driver(): Driver | null {
    return this.#phase === 'running' ? this.#driver : null
  }

  /** Lets `observer` see what the core takes; before the start. */
  watch(observer: CoreObserver): void {
    this.#internals = watchedBy(this.#internals, observer)
  }

  /** `end` is called once, when the node has stopped; it never throws. */
  onStopped(end: () => void): void {
    this.#ends.push(end)
  }

  start(): Promise<void> {
    if (this.#phase === 'new') {
      this.#phase = 'starting'
      this.#starting = this.#start()
      // Whoever calls start handles the failure; stop waits for its end only.
      this.#starting.catch(() => undefined)
    }
    if (this.#phase === 'starting' || this.#phase === 'running') return this.#starting ?? Promise.resolve()
    return Promise.reject(this.notRunning())
  }

  get electionTimeoutMs(): number {
    return this.#options.settings.electionTimeoutMs
  }

  /** Also before the start. All of it or nothing. @throws RaftError RAFT_STOPPED, RAFT_INVALID_OPTION */
  reconfigure(changes: SettingChanges): void {
    if (this.#phase === 'stopping' || this.#phase === 'stopped' || this.#phase === 'failed') throw this.notRunning()
    const { settings, transport } = this.#options
    const values = changedValues(settings, changes, transport)
    if (this.#driver === null) settings.replace(values)
    else this.#driver.reconfigure(values)
  }

  /** @throws RaftError RAFT_STOPPED unless it runs */
  running(): Driver {
    const { driver } = this
    if (driver === null) throw this.notRunning()
    return driver
  }

  /** For what only members serve. @throws RaftError RAFT_STOPPED, RAFT_NOT_MEMBER */
  inside(): Driver {
    const driver = this.running()
    if (!driver.isOutside) return driver
    throw new RaftError(
      'RAFT_NOT_MEMBER',
      `'${this.#options.id}' is not a member of its cluster: ask a member, or add it (again) first`,
    )
  }

  stop(transferMs: number): Promise<void> {
    this.#stopping ??= this.#stop(transferMs).finally(() => {
      for (const end of this.#ends.splice(0)) end()
    })
    return this.#stopping
  }

  /** What a call on a node that does not run is told. */
  notRunning(): RaftError {
    const cause = this.#failure === null ? {} : { cause: this.#failure }
    return new RaftError('RAFT_STOPPED', this.#describeIdle(), cause)
  }

  status(): RaftStatus {
    const { driver } = this
    if (driver !== null) return driver.status()
    return idleStatus(this.#options, {
      role: this.#phase === 'failed' ? 'failed' : 'stopped',
      explanation: this.#describeIdle(),
    })
  }

  async #start(): Promise<void> {
    const { id, logger } = this.#options
    logger.info({ node: id }, 'Starting Raft node')
    try {
      const recovered = await this.#recover()
      this.#driver = this.#makeDriver(recovered)
      const { bootCount, clusterId } = recovered.identity
      const { hardState, lastIndex } = recovered.restored
      logger.info({ node: id, clusterId, bootCount, term: hardState.currentTerm, lastIndex }, 'Raft node initialized')
      await this.#startTransport(this.#driver)
    } catch (error) {
      throw await this.#startFailed(error as RaftError)
    }
    this.#phase = 'running'
    this.#announce()
  }

  async #recover(): Promise<Recovered> {
    try {
      const recovered = await recover(this.#options, this.#internals, () => this.#throwIfStopping())
      this.#hasOpenStores = true
      return recovered
    } catch (error) {
      throw storeError(error)
    }
  }

  #makeDriver(recovered: Recovered): Driver {
    const { emit, onLeading } = this.#hooks
    try {
      return new Driver(this.#options, recovered, this.#internals, {
        emit,
        onLeading,
        onFailure: (error) => this.#onFailure(error),
      })
    } catch (error) {
      throw invariantError(error)
    }
  }

  async #startTransport({ local }: Driver): Promise<void> {
    this.#hasTransport = true
    try {
      await this.#options.transport.start(local)
    } catch (error) {
      throw transportError(error)
    }
    this.#throwIfStopping()
  }

  /** Listeners hear of the configuration before anything else happens. */
  #announce(): void {
    const { id, bootstrap, logger } = this.#options
    const inForce = this.#driver?.configuration ?? null
    // Who is listed says whom it waits for.
    if (inForce === null && bootstrap === null) {
      logger.warn({ node: id }, 'No configuration: waiting to be added to a cluster')
    } else if (inForce !== null) {
      const own = inForce.configuration.members.find((member) => member.id === id)
      logger.info(
        { members: inForce.configuration.members.length },
        `Node ${id} started on ${own === undefined ? 'an unknown address' : `${own.address}, the address that the members dial`}`,
      )
      if (own !== undefined) this.#warnOfOtherPort(own.address)
      this.#warnOfOtherList(inForce.configuration)
      this.#hooks.emit('configuration', inForce.configuration, inForce.index)
    }
    this.#driver?.begin()
  }

  /** Whoever moves a node to another port must tell the members, who dial what the configuration says. */
  #warnOfOtherPort(dialled: string): void {
    const { id, transport, logger } = this.#options
    const { address } = transport
    // A transport of somebody else's may mean anything by that name.
    if (typeof address !== 'string' || portOf(address) === portOf(dialled)) return
    logger.warn(
      { node: id },
      `The members dial ${dialled} and this node listens on ${address}: unless something forwards the one to the other, update its address by updateMember`,
    )
  }

  /** The stored configuration holds, and whoever believes the list should hear so (F26). */
  #warnOfOtherList({ members }: Configuration): void {
    const { id, bootstrap, logger } = this.#options
    if (bootstrap === null) return
    const [listed, held] = [idsOf(bootstrap.members), idsOf(members)]
    if (listed === held) return
    logger.warn(
      { node: id },
      `The bootstrap list (${listed}) is ignored: the members of this cluster are ${held}; change them by addMember and removeMember`,
    )
  }

  async #startFailed(failure: RaftError): Promise<RaftError> {
    this.#driver?.close(failure)
    await this.#release()
    if (this.#phase === 'starting') {
      this.#phase = 'failed'
      this.#failure = failure
      this.#options.logger.error(
        { node: this.#options.id, code: failure.code, reason: failure.message },
        'Start failed',
      )
    }
    return failure
  }

  #throwIfStopping(): void {
    if (this.#phase !== 'starting')
      throw this.#failure ?? new RaftError('RAFT_STOPPED', 'the node was stopped while it started')
  }

  /** The driver closed itself: nothing is sent or written any more. The rest is closed behind it. */
  #onFailure(error: RaftError): void {
    const isStopping = this.#phase === 'stopping' || this.#phase === 'stopped'
    if (isStopping) return
    const wasRunning = this.#phase === 'running'
    this.#phase = 'failed'
    this.#failure = error
    this.#options.logger.error({ node: this.#options.id, code: error.code, reason: error.message }, 'Raft node failed')
    if (!wasRunning) return
    void this.#release()
    this.#hooks.emit('fatal', error)
  }

  async #stop(transferMs: number): Promise<void> {
    const { id, logger } = this.#options
    const phase = this.#phase
    if (phase === 'new') {
      this.#phase = 'stopped'
      return
    }
    logger.info({ node: id }, 'Shutting down Raft node')
    if (phase !== 'failed') this.#phase = 'stopping'
    if (phase === 'running' && transferMs > 0) await this.#driver?.handOver(transferMs)
    this.#driver?.close()
    if (await this.#startEnds()) await this.#release()
    if (phase !== 'failed') this.#phase = 'stopped'
    logger.info({ node: id }, 'Shutdown complete')
  }

  /** A start that hangs, in a store or in the state machine, closes what it opened when it goes on: at once it ends there. */
  async #startEnds(): Promise<boolean> {
    const { id, logger } = this.#options
    const ended = (this.#starting ?? Promise.resolve()).catch(() => undefined)
    if (await this.#settlesInTime(ended)) return true
    logger.error({ node: id, limitMs: this.#limitMs }, 'Start hangs, its stores stay open until it goes on')
    return false
  }

  /**
   * Once: the running write ends, then the transport, then the stores. What fails on the way is logged. A write that hangs
   * is waited for in the background: to close a store under it would be worse than to leave it open (H109).
   */
  #release(): Promise<void> {
    this.#releasing ??= this.#releaseOnce()
    return this.#releasing
  }

  async #releaseOnce(): Promise<void> {
    const { id, logger } = this.#options
    const idle = this.#driver?.idle() ?? Promise.resolve()
    const isIdle = await this.#settlesInTime(idle)
    if (this.#hasTransport && !(await this.#settlesInTime(this.#stopTransport()))) {
      logger.error({ node: id, limitMs: this.#limitMs }, 'Transport hangs, closing the stores without it')
    }
    if (!this.#hasOpenStores) return
    const closed = idle.then(() => this.#quietly('stores', () => closeStores(this.#options)))
    if (isIdle && (await this.#settlesInTime(closed))) return
    logger.error({ node: id, limitMs: this.#limitMs }, 'Disk hangs, stores stay open until it answers')
  }

  #stopTransport(): Promise<void> {
    return this.#quietly('transport', () => this.#options.transport.stop())
  }

  /** What a stop waits for hangs after this time, ms (F4). */
  get #limitMs(): number {
    return 2 * this.electionTimeoutMs
  }

  #settlesInTime(promise: Promise<void>): Promise<boolean> {
    return settlesWithin(promise, { clock: this.#options.clock, limitMs: this.#limitMs })
  }

  async #quietly(part: string, close: () => Promise<void>): Promise<void> {
    try {
      await close()
    } catch (error) {
      this.#options.logger.error({ node: this.#options.id, part, reason: textOf(error) }, 'Closing failed')
    }
  }

  #describeIdle(): string {
    switch (this.#phase) {
      case 'new':
        return 'The node has not been started: call start().'
      case 'starting':
        return 'The node is starting: wait for start().'
      case 'stopping':
      case 'running':
        return 'The node is stopping.'
      case 'stopped':
        return 'The node was stopped: make a new RaftNode to start again.'
      case 'failed':
        return `The node failed: ${this.#failure?.message ?? 'unknown'}`
    }
  }
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1)
}

function idsOf(members: readonly Member[]): string {
  const ids = members.map((member) => member.id)
  return ids.sort().join(', ')
}

/** Whether the promise, which never rejects, settles in time. Leaves no timer behind. */
function settlesWithin(
  promise: Promise<void>,
  { clock, limitMs }: { clock: Clock; limitMs: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.schedule(clock.now() + limitMs, () => resolve(false))
    void promise.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}
