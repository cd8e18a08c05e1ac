// What a command of a connection becomes: a write for the log, a read of the state, or an answer that needs neither.
// The connection runs neighbours of one kind together (one append, one read round) and answers in order. A call of an
// operator's runs alone.
import { isOnceResult, type KvCommand, type KvResult } from '../state-machine/command.js'
import type { KvState } from '../state-machine/kv-state.js'
import type { ReplyWriter } from './reply-writer.js'

export interface WriteStep {
  readonly kind: 'write'
  readonly command: KvCommand
  reply(writer: ReplyWriter, result: KvResult): void
}

export interface ReadStep {
  readonly kind: 'read'
  /** Runs between two applies and encodes later: what it returns must not change. @param now - log time as it stands, ms */
  query(state: KvState, now: number): ReadValue
  reply(writer: ReplyWriter, value: ReadValue): void
}

export type ReadValue = Uint8Array | null | number | readonly (Uint8Array | null)[]

export interface AnswerStep {
  readonly kind: 'answer'
  /** Nothing behind it may be run: the connection ends with it. */
  readonly isLast?: true
  /** Runs when its turn has come: it may change the connection. */
  reply(writer: ReplyWriter): void
}

export interface CallStep {
  readonly kind: 'call'
  /** Runs when its turn has come, and what comes behind it waits. Never rejects: a failure is a reply, too. */
  run(client: ClientPresence): Promise<(writer: ReplyWriter) => void>
}

/** Whether there is still somebody to wait for. */
export interface ClientPresence {
  /** The client has said all, or is gone. */
  readonly ended: AbortSignal
  /** It is gone. */
  readonly closed: AbortSignal
}

export type Step = WriteStep | ReadStep | AnswerStep | CallStep

/** A step that answers with an error. */
export function errorStep(text: string): AnswerStep {
  return { kind: 'answer', reply: (writer) => writer.error(text) }
}

export function writeValue(writer: ReplyWriter, value: ReadValue): void {
  if (value === null) writer.null()
  else if (typeof value === 'number') writer.integer(value)
  else if (value instanceof Uint8Array) writer.bulk(value)
  else {
    writer.array(value.length)
    for (const item of value) writeValue(writer, item)
  }
}

/** Redis's texts for the failures that a command meets when it is applied. */
export function writeResult(writer: ReplyWriter, result: KvResult, name: string): void {
  if (result === 'OK') writer.simple('OK')
  else if (typeof result === 'bigint') writer.integer(result)
  else if (typeof result === 'number' || result === null || result instanceof Uint8Array) writeValue(writer, result)
  else if (isOnceResult(result)) writeResult(writer, result.result, name)
  else if (result.failure === 'notInteger') writer.error('ERR value is not an integer or out of range')
  else if (result.failure === 'overflow') writer.error('ERR increment or decrement would overflow')
  else writer.error(`ERR invalid expire time in '${name}' command`)
}
