// Recordings to test with: of the cores of simulated clusters, whose traces have every event that a core can take, and of single
// cores that a test steps.
import type { CoreEvent, CoreOptions } from '../../../../src/core/index.js'
import { Output, RaftCore } from '../../../../src/core/index.js'
import { type CoreObserver, type CoreStart, INTERNALS } from '../../../../src/node/internals.js'
import type { Logger } from '../../../../src/interfaces/logger.js'
import { type FlightRecorder, flightRecorder, type FlightRecorderOptions } from '../../../../src/testing/index.js'
import { runSeed } from '../../../../src/testing/run-seed.js'
import { decodeEvent, decodeStart } from '../../../../src/testing/trace/event-codec.js'
import type { StepBody } from '../../../../src/testing/trace/format.js'
import type { Profile } from '../../../../src/testing/swarm.js'

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

type Observer = { readonly [Name in keyof CoreObserver]-?: NonNullable<CoreObserver[Name]> }

interface Attached {
  readonly observer: Observer
  readonly detach: () => void
}

/** Attaches the recorder to a node of that id, as the node does. */
export function attach(recorder: FlightRecorder, id: string, logger: Logger = SILENT): Attached {
  const detach = recorder.attach?.({ id } as never) as () => void
  const watching = recorder as unknown as { [INTERNALS](node: { id: string; logger: Logger }): Observer }
  return { observer: watching[INTERNALS]({ id, logger }), detach }
}

/** A core that a recorder watches, driven as the event loop does. */
export class WatchedCore {
  readonly core: RaftCore
  readonly detach: () => void
  readonly #observer: Observer
  #output = new Output()

  constructor(recorder: FlightRecorder, start: CoreStart, logger?: Logger) {
    const { observer, detach } = attach(recorder, start.options.id, logger)
    this.#observer = observer
    this.detach = detach
    observer.observeStart(start)
    this.core = new RaftCore(start.options, start.restored, start.now)
    observer.observe(this.core.state, null, null)
  }

  step(event: CoreEvent, joins = false): void {
    if (!joins) this.#handOut()
    this.#output = this.core.step(event, this.#output)
    this.#observer.observe(this.core.state, event, this.#output)
  }

  /** The core finds itself wrong at that event. */
  fail(event: CoreEvent, joins: boolean): void {
    if (!joins) this.#handOut()
    try {
      this.core.step(event, this.#output)
    } catch {
      this.#observer.observeFailure(event, this.#output)
    }
  }

  #handOut(): void {
    this.#output = new Output()
    this.#observer.observeHandOut(this.core.state)
  }
}

const OPTIONS: CoreOptions = {
  ...{ id: 'a', electionTimeoutMs: 300, heartbeatIntervalMs: 100, seed: 7, boot: 1 },
  ...{ maxClockDriftRatio: 0.1, appendEntries: 100, inflightMessages: 8 },
}

/** What a lone voter begins with. */
export function soloStart(boot = 1): CoreStart {
  const members = [{ id: 'a', address: 'a:1', suffrage: 'voter' as const }]
  const restored = {
    ...{ hardState: { currentTerm: 0, votedFor: null }, firstIndex: 1, lastIndex: 0, previousTerm: 0, termRuns: [] },
    ...{ logTime: 0, configuration: { index: 0, configuration: { members, votersOutgoing: [] } } },
  }
  return { options: { ...OPTIONS, boot }, restored, now: 1_000 }
}

/** A lone voter that leads and has taken so many commands. */
export function recordSolo(
  recorder: FlightRecorder,
  commands: number,
  command = new Uint8Array(100).fill(120),
): WatchedCore {
  const watched = new WatchedCore(recorder, soloStart())
  const { state } = watched.core
  watched.step({ type: 'tick', now: 10_000 })
  for (let tries = 0; state.role !== 'leader' && tries < 5; tries++) {
    const hardState = { currentTerm: state.currentTerm, votedFor: state.votedFor }
    watched.step({ type: 'persisted', now: 10_000, hardState, index: 0, epoch: 0 })
  }
  for (let id = 1; id <= commands; id++) {
    const now = 10_000 + id / 8
    watched.step({ type: 'propose', now, wallTime: 1e12 + id, id, entryType: 'command', commands: [command] })
    const index = state.log.lastIndex
    watched.step({ type: 'persisted', now, hardState: null, index, epoch: state.epoch })
    watched.step({ type: 'applied', now, index })
  }
  return watched
}

/** A recording of each node of a simulated cluster, and how many steps its cores took. */
export async function recordSeed(
  seed: bigint,
  { profile, ...options }: FlightRecorderOptions & { profile?: Profile } = {},
): Promise<Map<string, { readonly recorder: FlightRecorder; steps: number }>> {
  const flights = new Map<string, { readonly recorder: FlightRecorder; steps: number }>()
  const cores = new Map<string, WatchedCore>()
  const onTrace = (text: string): void => {
    const { node, ...body } = JSON.parse(text) as { node: string } & StepBody
    const isEvent = body.step === 'init' || 'event' in body
    if (!isEvent) return
    let flight = flights.get(node)
    if (flight === undefined) flights.set(node, (flight = { recorder: flightRecorder(options), steps: 0 }))
    flight.steps += 1
    const joins = body['joins'] === true
    if (body.step === 'init') cores.set(node, new WatchedCore(flight.recorder, decodeStart(body)))
    else if (body.step === 'failed') cores.get(node)?.fail(decodeEvent(body['event']), joins)
    else cores.get(node)?.step(decodeEvent(body['event']), joins)
  }
  await runSeed(seed, { ...(profile === undefined ? {} : { profile }), onTrace })
  for (const core of cores.values()) core.detach()
  return flights
}
