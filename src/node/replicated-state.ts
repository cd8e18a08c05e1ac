// What the log is applied to: the state machine of the application and, beside it, the sessions of its clients. To everything
// else it is one state machine, so that a snapshot never has the one without the other (H51, F18).
import type { LogEntry } from '../core/types.js'
import type { Codec } from '../interfaces/codec.js'
import type { ApplyContext, SnapshotContext, SnapshotMeta, StateMachine } from '../interfaces/state-machine.js'
import { textOf } from './failures.js'
import type { NodeRules } from './node-rules.js'
import type { FixedOptions } from './options.js'
import { Pieces } from './pieces.js'
import { isThenable } from './promises.js'
import type { Settings } from './settings.js'
import { decodeSessionEntry } from './sessions/session-entry.js'
import type { SessionAnswer } from './sessions/session-record.js'
import { behindSessions, takeSessions } from './sessions/session-snapshot.js'
import { type CommandVerdict, SessionTable } from './sessions/session-table.js'

export interface ReplicatedStateParts {
  readonly stateMachine: StateMachine<unknown, unknown>
  readonly codec: Codec<unknown>
  readonly resultCodec: Codec<unknown>
  readonly rules: NodeRules
}

/** The options of a node that runs. */
export interface RunningOptions extends FixedOptions {
  readonly stateMachine: ReplicatedState
  /** What of them may change. */
  readonly settings: Settings
}

/** Largest encoded answer that is kept. */
export const MAX_RESULT_BYTES: number = 16 * 1024 * 1024

const NOTHING = new Uint8Array(0)

export class ReplicatedState implements StateMachine<unknown, unknown> {
  readonly apply: (command: unknown, context: ApplyContext) => unknown
  readonly #parts: ReplicatedStateParts
  readonly #sessions: SessionTable

  constructor(parts: ReplicatedStateParts) {
    this.#parts = parts
    this.#sessions = new SessionTable(parts.rules)
    this.apply = (command, context) => parts.stateMachine.apply(command, context)
  }

  /** What the state machine returns or, for a step of a session, a `SessionReply`; or a promise of that. */
  applyEntry(entry: LogEntry): unknown {
    return entry.type === 'session' ? this.#applySession(entry) : this.#applyCommand(entry, entry.data)
  }

  #applyCommand({ index, term, timestamp }: LogEntry, data: Uint8Array): unknown {
    const { stateMachine, codec } = this.#parts
    return stateMachine.apply(codec.decode(data), { index, term, timestamp })
  }

  #applySession(entry: LogEntry): unknown {
    const step = decodeSessionEntry(entry.data)
    if (step.type === 'open') return this.#sessions.open(entry, step)
    if (step.type === 'close') return this.#sessions.close(entry, step)
    const verdict = this.#sessions.judge(entry, step)
    if (verdict.type !== 'run') return verdict
    const { index, term } = entry
    const result = this.#applyCommand(entry, step.command)
    const keep = (settled: unknown): unknown =>
      this.#keep(verdict, { sequence: step.sequence, index, term, result: settled })
    return isThenable(result) ? Promise.resolve(result).then(keep) : keep(result)
  }

  /** The sessions of this moment, then what the state machine gives; its first chunk is pulled in this very turn (H52). */
  snapshot(context: SnapshotContext): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>> {
    const { stateMachine, rules } = this.#parts
    const records = rules.keepsSessionsInSnapshots() ? this.#sessions.capture() : []
    const chunks = stateMachine.snapshot(context)
    return isThenable(chunks) ? chunks.then((given) => behindSessions(records, given)) : behindSessions(records, chunks)
  }

  /** What could not be restored has changed nothing here. */
  async restore(chunks: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void> {
    const pieces = new Pieces(chunks, 'the snapshot')
    try {
      const records = await takeSessions(pieces)
      await this.#parts.stateMachine.restore(pieces.rest(), meta)
      this.#sessions.replace(records)
    } finally {
      await pieces.close()
    }
  }

  #keep(
    { record }: Extract<CommandVerdict, { readonly type: 'run' }>,
    { result, ...place }: Pick<SessionAnswer, 'sequence' | 'index' | 'term'> & { readonly result: unknown },
  ): unknown {
    return this.#sessions.answered(record, { ...place, ...encodeResult(this.#parts.resultCodec, result) })
  }
}

/** What can't be encoded is an answer too: the command has run, and must not run again. */
function encodeResult(codec: Codec<unknown>, result: unknown): Pick<SessionAnswer, 'type' | 'data'> {
  if (result === undefined) return { type: 'none', data: NOTHING }
  try {
    const encoded = codec.encode(result)
    if (encoded.length > MAX_RESULT_BYTES)
      return unencodable(`it has ${encoded.length} bytes, more than ${MAX_RESULT_BYTES}`)
    // Bytes of our own: a codec may hand out a view of a buffer that it uses again (H96).
    return { type: 'value', data: new Uint8Array(encoded) }
  } catch (error) {
    return unencodable(textOf(error).slice(0, 1_000))
  }
}

function unencodable(reason: string): Pick<SessionAnswer, 'type' | 'data'> {
  return { type: 'unencodable', data: new TextEncoder().encode(reason) }
}
