// What watches a node and is no part of it (F51): attached when the node is made, let go after it has stopped. What it
// throws while it is let go is logged. Changes nothing of what the node does.
import { textOf } from './failures.js'
import { type CoreObserver, INTERNALS, type Internals } from './internals.js'
import type { Lifecycle } from './lifecycle.js'
import { refuse, show } from './option-checks.js'
import type { ResolvedOptions } from './options.js'
import type { AnyRaftNode } from './raft-node.js'

/** Something that watches a node, such as `flightRecorder()` of `helios-raft/testing`. Called synchronously; must not throw. */
export interface Instrumentation {
  /** For log lines. */
  readonly name: string
  /** Once, at the end of the node's constructor. The function that it returns is called after `stop`, once. */
  attach?(node: AnyRaftNode): (() => void) | void
}

/** One that comes with the library may watch the core, too; nobody else's is asked. */
interface WatchingInstrumentation extends Instrumentation {
  readonly [INTERNALS]?: ((node: Pick<ResolvedOptions, 'id' | 'logger'>) => CoreObserver) | undefined
}

/** The list as it was given, checked. @throws RaftError RAFT_INVALID_OPTION */
export function resolveInstrumentation(list: readonly Instrumentation[] = []): readonly Instrumentation[] {
  if (!Array.isArray(list)) refuse(`instrumentation is ${show(list)}: give a list`)
  for (const each of list as readonly unknown[]) {
    const { name, attach } = (typeof each === 'object' && each !== null ? each : {}) as Partial<Instrumentation>
    if (typeof name !== 'string') refuse(`instrumentation holds ${show(each)}: give objects with a name and attach`)
    if (attach !== undefined && typeof attach !== 'function')
      refuse(`attach of '${name}' is ${show(attach)}: give a function`)
  }
  return Object.freeze([...list])
}

/** Attaches what the options list. @throws what an `attach` throws, which refuses the node that way */
export function attachInstruments(node: AnyRaftNode, options: ResolvedOptions, lifecycle: Lifecycle): void {
  const { id, logger } = options
  for (const each of options.instrumentation as readonly WatchingInstrumentation[]) {
    const detach = each.attach?.(node)
    const observer = each[INTERNALS]?.({ id, logger })
    if (observer !== undefined) lifecycle.watch(observer)
    if (typeof detach !== 'function') continue
    lifecycle.onStopped(() => {
      try {
        detach()
      } catch (error) {
        logger.error({ node: id, instrumentation: each.name, reason: textOf(error) }, 'Instrumentation failed')
      }
    })
  }
}

/** Both are told, in this order. */
export function watchedBy(internals: Internals, observer: CoreObserver): Internals {
  return {
    ...internals,
    observeStart: both(internals.observeStart, observer.observeStart),
    observe: both(internals.observe, observer.observe),
    observeHandOut: both(internals.observeHandOut, observer.observeHandOut),
    observeFailure: both(internals.observeFailure, observer.observeFailure),
  }
}

function both<Args extends readonly unknown[]>(
  first: ((...args: Args) => void) | undefined,
  second: ((...args: Args) => void) | undefined,
): ((...args: Args) => void) | undefined {
  if (first === undefined || second === undefined) return first ?? second
  return (...args) => {
    first(...args)
    second(...args)
  }
}
