// One snapshot on its way from the state machine into the store. The first chunk is pulled in the turn in which the
// iterable is had, so that it is the state as of that turn (H52); the next one when the one before is written, so that
// memory holds one (H61). Whatever fails, the iterator and the sink are let go.
import { isRaftError, RaftError } from '../errors.js'
import type { SnapshotSink, SnapshotStore } from '../interfaces/snapshot-store.js'
import type { SnapshotMeta, StateMachine } from '../interfaces/state-machine.js'
import { commitNewest } from './commit-newest.js'
import { textOf } from './failures.js'
import { ignore, isThenable } from './promises.js'

export interface SnapshotPlan {
  readonly stateMachine: StateMachine<unknown, unknown>
  readonly store: SnapshotStore
  readonly meta: SnapshotMeta
}

type FirstChunk = Promise<IteratorResult<Uint8Array, unknown>>

export class SnapshotWriting {
  /** Until it resolves `apply` waits; null where the state machine answered at once. Never rejects. */
  readonly checkpoint: Promise<void> | null
  readonly #plan: SnapshotPlan
  readonly #abort = new AbortController()
  /** Rejects when it is given up, so that no wait for the state machine outlives the node. */
  readonly #givenUp: Promise<never>
  #iterator: AsyncIterator<Uint8Array> | null = null
  readonly #first: FirstChunk

  /** Asks the state machine, in this turn. */
  constructor(plan: SnapshotPlan) {
    this.#plan = plan
    const { signal } = this.#abort
    this.#givenUp = new Promise((_, reject) => {
      const end = () => reject(new RaftError('RAFT_STOPPED', 'the node stopped while it took a snapshot'))
      signal.addEventListener('abort', end, { once: true })
    })
    this.#givenUp.catch(ignore)
    const { lastIncludedIndex: index, lastIncludedTerm: term } = plan.meta
    let asked: AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>
    try {
      asked = plan.stateMachine.snapshot({ index, term, signal })
      if (isThenable(asked)) {
        const first = asked.then((chunks) => this.#pull(chunks))
        this.#first = first.then(({ chunk }) => chunk)
        this.checkpoint = Promise.race([first, this.#givenUp]).then(ignore, ignore)
      } else {
        this.#first = this.#pull(asked).chunk
        this.checkpoint = null
      }
    } catch (error) {
      this.#first = Promise.reject(error as Error)
      this.checkpoint = null
    }
    this.#first.catch(ignore)
  }

  /** Everything is waited for no longer; `run` rejects soon. */
  giveUp(): void {
    this.#abort.abort()
  }

  /** Resolves with the size in bytes when the snapshot is durable. @throws RaftError, after all was let go */
  async run(): Promise<number> {
    let sink: SnapshotSink | null = null
    try {
      sink = await this.#ofStore(() => this.#plan.store.create(this.#plan.meta))
      const open = sink
      let chunk = await this.#ofMachine(this.#first)
      while (chunk.done !== true) {
        const { value } = chunk
        if (!(value instanceof Uint8Array)) throw new Error(`it gave a ${typeof value} where a Uint8Array belongs`)
        await this.#ofStore(() => open.write(value))
        this.#abort.signal.throwIfAborted()
        chunk = await this.#ofMachine(this.#next())
      }
      this.#iterator = null
      return (await this.#ofStore(() => commitNewest(this.#plan.store, open))).sizeBytes
    } catch (error) {
      await this.#letGo(sink)
      throw machineError(error)
    }
  }

  #pull(chunks: AsyncIterable<Uint8Array>): { readonly chunk: FirstChunk } {
    const iterator = chunks[Symbol.asyncIterator]()
    this.#iterator = iterator
    // In an object: a promise in a promise would be waited for. An iterator may answer without one, as those of arrays do.
    return { chunk: Promise.resolve(iterator.next()) as FirstChunk }
  }

  #next(): FirstChunk {
    return Promise.resolve((this.#iterator as AsyncIterator<Uint8Array>).next()) as FirstChunk
  }

  async #ofMachine<T>(step: Promise<T>): Promise<T> {
    return await Promise.race([step, this.#givenUp])
  }

  async #ofStore<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      throw storeFailure(error)
    }
  }

  /** The state machine is told at once, and not waited for: it may hang. */
  async #letGo(sink: SnapshotSink | null): Promise<void> {
    this.#abort.abort()
    const returned = async () => await this.#iterator?.return?.()
    returned().catch(ignore)
    await sink?.abort().catch(ignore)
  }
}

function machineError(error: unknown): RaftError {
  if (isRaftError(error)) return error
  const text = `the state machine could not make a snapshot: ${textOf(error)}; the node goes on and tries again later`
  return new RaftError('RAFT_STATE_MACHINE', text, { cause: error })
}

function storeFailure(error: unknown): RaftError {
  if (isRaftError(error)) return error
  const text = `the snapshot store failed: ${textOf(error)}; the node goes on with its log and tries again later`
  return new RaftError('RAFT_STORAGE', text, { cause: error })
}
