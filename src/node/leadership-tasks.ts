// What the application runs while this node leads (F47): begun when the first entry of the leadership is applied here, told by
// a signal that it is over, and never two leaderships of one task at once. Role is no authority (H38): another leader may be at
// work by the time a task hears of it, so what it proposes carries its term.
import type { NodeId, Term } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Logger } from '../interfaces/logger.js'
import { textOf } from './failures.js'

/** Tasks of one node. */
export const MAX_LEADERSHIP_TASKS = 1_024

/** What a task is told. */
export interface Leadership {
  /** For `propose(…, { ifTerm })`. */
  readonly term: Term
  /** Aborts when this node does not lead that term any more, or stops. */
  readonly signal: AbortSignal
}

export type LeadershipTask = (leadership: Leadership) => void | Promise<void>

interface Registered {
  readonly task: LeadershipTask
  /** Of the leadership that it was begun for last. */
  term: Term
  /** While it runs. */
  abort: AbortController | null
  isOver: boolean
}

export class LeadershipTasks {
  readonly #id: NodeId
  readonly #logger: Logger
  readonly #registered = new Set<Registered>()
  /** That this node leads, and whose first entry it has applied; null for none. */
  #term: Term | null = null

  constructor(id: NodeId, logger: Logger) {
    this.#id = id
    this.#logger = logger
  }

  /** Returns what ends it: it is not begun again, and its signal aborts. @throws RaftError RAFT_OVERLOADED */
  add(task: LeadershipTask): () => void {
    if (this.#registered.size >= MAX_LEADERSHIP_TASKS) {
      throw new RaftError('RAFT_OVERLOADED', `${MAX_LEADERSHIP_TASKS} tasks wait for leadership: end some of them`)
    }
    const registered: Registered = { task, term: 0, abort: null, isOver: false }
    this.#registered.add(registered)
    // The caller may want what ends it before it begins.
    queueMicrotask(() => this.#look(registered))
    return () => {
      registered.isOver = true
      this.#registered.delete(registered)
      registered.abort?.abort(new RaftError('RAFT_ABORTED', 'the task was ended'))
    }
  }

  /** The leadership may have changed: `term` is what this node leads by now, null for nothing. */
  look(term: Term | null): void {
    if (term === this.#term) return
    this.#term = term
    for (const registered of this.#registered) this.#look(registered)
  }

  #look(registered: Registered): void {
    const { abort, term } = registered
    if (registered.isOver) return
    if (abort !== null && term !== this.#term) {
      abort.abort(new RaftError('RAFT_LEADERSHIP_LOST', `this node does not lead term ${term} any more`))
    } else if (abort === null && this.#term !== null && this.#term !== term) {
      void this.#run(registered, this.#term)
    }
  }

  async #run(registered: Registered, term: Term): Promise<void> {
    const abort = new AbortController()
    registered.abort = abort
    registered.term = term
    try {
      await registered.task({ term, signal: abort.signal })
    } catch (error) {
      // What its own signal ended is no failure.
      if (!abort.signal.aborted) {
        this.#logger.error({ node: this.#id, term, reason: textOf(error) }, 'A leadership task failed')
      }
    }
    registered.abort = null
    // It led and lost meanwhile, or leads another term already.
    this.#look(registered)
  }
}
