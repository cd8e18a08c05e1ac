// The user's state machine with a judge before and behind it: each committed command once, in order, with one result
// everywhere. It passes everything through and changes nothing.
import { Sha256 } from '../codec/sha256.js'
import type { LogIndex, NodeId } from '../core/types.js'
import type { ApplyContext, SnapshotContext, SnapshotMeta, StateMachine } from '../interfaces/state-machine.js'
import { isThenable } from '../node/promises.js'
import type { Invariants } from './invariants.js'
import type { ProcessGate } from './process-gate.js'

export interface JudgedMachineOptions<Command, Result> {
  readonly id: NodeId
  readonly inner: StateMachine<Command, Result>
  readonly invariants: Invariants
  readonly gate: ProcessGate
  /** After each apply. */
  readonly onApplied: (context: ApplyContext) => void
}

/** One instance for one incarnation of a node. */
export class JudgedMachine<Command, Result> implements StateMachine<Command, Result> {
  readonly #options: JudgedMachineOptions<Command, Result>
  #lastApplied: LogIndex = 0

  constructor(options: JudgedMachineOptions<Command, Result>) {
    this.#options = options
  }

  readonly apply = (command: Command, context: ApplyContext): Result | Promise<Result> => {
    const { id, inner, invariants, gate } = this.#options
    // A process that died within this turn steps and applies to its end, unseen: what it does is nobody's any more.
    if (!gate.isDead) invariants.applies(id, this.#lastApplied, context)
    this.#lastApplied = context.index
    const result = inner.apply(command, context)
    if (!isThenable(result)) {
      this.#settle(context, result)
      return result
    }
    return result.then((value) => {
      this.#settle(context, value)
      return value
    })
  }

  snapshot(context: SnapshotContext): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>> {
    const { id, inner, invariants, gate } = this.#options
    if (!gate.isDead) invariants.snapshots.asks(id, this.#lastApplied, context)
    const onEnd = (digest: Uint8Array): void => {
      if (!gate.isDead) invariants.snapshots.isState(id, context.index, digest)
    }
    const chunks = inner.snapshot(context)
    return isThenable(chunks) ? chunks.then((given) => digested(given, onEnd)) : digested(chunks, onEnd)
  }

  async restore(chunks: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void> {
    const { id, inner, invariants, gate } = this.#options
    const digest = new Sha256()
    await inner.restore(hashed(chunks, digest), meta)
    this.#lastApplied = meta.lastIncludedIndex
    if (!gate.isDead) invariants.snapshots.isState(id, meta.lastIncludedIndex, digest.digest())
  }

  #settle(context: ApplyContext, result: Result): void {
    const { id, invariants, gate, onApplied } = this.#options
    // What a process that is dead by now still computes is nobody's.
    if (gate.isDead) return
    invariants.applied(id, context.index, result)
    onApplied(context)
  }
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, digest: Sha256): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    digest.update(chunk)
    yield chunk
  }
}

/** The same chunks, each pulled when it is asked for; their digest when they have ended. */
function digested(chunks: AsyncIterable<Uint8Array>, onEnd: (digest: Uint8Array) => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const inner = chunks[Symbol.asyncIterator]()
      const digest = new Sha256()
      return {
        async next(): Promise<IteratorResult<Uint8Array>> {
          const result = await inner.next()
          if (result.done === true) onEnd(digest.digest())
          else digest.update(result.value)
          return result
        },
        async return(): Promise<IteratorResult<Uint8Array>> {
          await inner.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}
