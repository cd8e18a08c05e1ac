// One client: takes its commands up in batches, runs neighbouring writes as one append and neighbouring reads as one
// round, and answers in the order of the commands. A batch begins when the one before is answered, so that reads see
// the connection's own writes. What it holds is bounded: the socket is paused when the client sends faster than it is
// served, and nothing new is run while the client doesn't read (H93).
import type { Socket } from 'node:net'
import type { Proposed } from 'helios-raft'
import type { KvResult } from '../state-machine/command.js'
import { commandSize } from '../state-machine/command-codec.js'
import { commandStep } from './command-table.js'
import { BATCH_BYTES, BATCH_COMMANDS, COMMAND_BYTES, FLUSH_BYTES, IDLE_MS, INPUT_BYTES, STALLED_MS } from './limits.js'
import { ProtocolError, RespParser } from './parser.js'
import { raftErrorLine } from './raft-errors.js'
import { ReplyTooLarge, ReplyWriter } from './reply-writer.js'
import type { RespHost, Session } from './session.js'
import type { CallStep, ReadStep, ReadValue, Step, WriteStep } from './step.js'

/** What runs the commands. */
export interface RespBackend extends RespHost {
  /** An error line when that step can't be run here now; null when it can. */
  refusal(step: ReadStep | WriteStep): string | null
  /** One append; results in order. */
  write(steps: readonly WriteStep[]): Promise<readonly Proposed<KvResult>[]>
  /** Whether nothing may follow that step in its append. */
  endsAppend(step: WriteStep): boolean
  /** One round; values in order. */
  read(steps: readonly ReadStep[], session: Session): Promise<readonly ReadValue[]>
}

type Outcome =
  | { readonly ok: true; readonly value: KvResult | ReadValue }
  | { readonly ok: false; readonly line: string }

export class RespConnection {
  readonly session: Session
  readonly #socket: Socket
  readonly #backend: RespBackend
  readonly #parser = new RespParser()
  readonly #writer = new ReplyWriter()
  #running: Promise<void> | null = null
  /** Something came that `#run` has not looked at. */
  #hasNews = false
  #stopping = false

  constructor(socket: Socket, session: Session, backend: RespBackend) {
    this.#socket = socket
    this.session = session
    this.#backend = backend
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.#wake())
  }

  /** Answers what it has taken up, then closes. */
  async drain(): Promise<void> {
    this.#stopping = true
    this.#socket.pause()
    await this.#running
    this.#socket.destroySoon()
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#parser.push(chunk)
    if (this.#parser.waitingBytes > INPUT_BYTES) this.#socket.pause()
    this.#wake()
  }

  #wake(): void {
    this.#hasNews = true
    if (this.#running !== null || this.#stopping) return
    this.#running = this.#run()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running = null
      })
  }

  /** Until nothing whole is left of what came. Nothing can arrive between its last look and its end: no await is there. */
  async #run(): Promise<void> {
    while (this.#hasNews && !this.session.isClosing && !this.#stopping && !this.#socket.destroyed) {
      this.#hasNews = false
      const { steps, error } = this.#takeUp()
      if (steps.length > 0) {
        this.#hasNews = true
        await this.#execute(steps)
      }
      if (error !== null) throw error
      if (this.#parser.waitingBytes <= INPUT_BYTES && this.#socket.isPaused()) this.#socket.resume()
      if (!this.#hasNews || this.#writer.length > FLUSH_BYTES) await this.#flush()
    }
    if (this.#writer.length > 0 && !this.#socket.destroyed) this.#socket.write(this.#writer.take())
    if (this.session.isClosing || this.#socket.readableEnded) this.#socket.destroySoon()
  }

  /** The next batch; an error of the protocol comes with the commands before it, which are run. */
  #takeUp(): { readonly steps: readonly Step[]; readonly error: unknown } {
    const steps: Step[] = []
    let bytes = 0
    try {
      while (steps.length < BATCH_COMMANDS && bytes < BATCH_BYTES) {
        const args = this.#parser.next()
        if (args === null) break
        for (const arg of args) bytes += arg.length
        this.#backend.counters.commandsProcessed += 1
        this.session.lastCommand =
          args[0]
            ?.toString('latin1', 0, 32)
            .toLowerCase()
            .replace(/[^a-z]/g, '?') ?? ''
        const step = commandStep(args, this.session)
        steps.push(step)
        if (step.kind === 'answer' && step.isLast === true) break
      }
      return { steps, error: null }
    } catch (error) {
      return { steps, error }
    }
  }

  async #execute(steps: readonly Step[]): Promise<void> {
    for (let from = 0; from < steps.length; ) {
      const first = steps[from]
      if (first?.kind === 'call') {
        await this.#flush()
        await this.#call(first)
        from += 1
        continue
      }
      const to = endOfRun(steps, from, (step) => this.#backend.endsAppend(step))
      const run = steps.slice(from, to)
      const outcomes = await this.#outcomes(run)
      for (const [i, step] of run.entries()) {
        this.#reply(step, outcomes[i])
        if (this.session.isClosing) return
        if (this.#writer.length > FLUSH_BYTES) await this.#flush()
      }
      from = to
    }
  }

  async #call(step: CallStep): Promise<void> {
    const [ended, closed] = [new AbortController(), new AbortController()]
    const onEnd = (): void => ended.abort()
    const onClose = (): void => {
      ended.abort()
      closed.abort()
    }
    this.#socket.on('end', onEnd)
    this.#socket.on('close', onClose)
    if (this.#socket.destroyed) onClose()
    else if (this.#socket.readableEnded) onEnd()
    const reply = await step.run({ ended: ended.signal, closed: closed.signal })
    this.#socket.off('end', onEnd)
    this.#socket.off('close', onClose)
    reply(this.#writer)
  }

  /** One for each step of a run; nothing for answers. */
  async #outcomes(run: readonly Step[]): Promise<readonly (Outcome | undefined)[]> {
    const outcomes: (Outcome | undefined)[] = new Array(run.length).fill(undefined)
    const positions: number[] = []
    for (const [i, step] of run.entries()) {
      if (step.kind === 'answer' || step.kind === 'call') continue
      const line = this.#backend.refusal(step) ?? tooLarge(step)
      if (line === null) positions.push(i)
      else outcomes[i] = { ok: false, line }
    }
    if (positions.length === 0) return outcomes
    const chosen = positions.map((at) => run[at])
    try {
      const reads = chosen.filter((step): step is ReadStep => step?.kind === 'read')
      const writes = chosen.filter((step): step is WriteStep => step?.kind === 'write')
      const values = reads.length > 0 ? await this.#backend.read(reads, this.session) : await this.#write(writes)
      for (const [i, at] of positions.entries()) outcomes[at] = { ok: true, value: values[i] ?? null }
    } catch (error) {
      const line = raftErrorLine(error)
      if (line.startsWith('ERR internal')) this.#backend.report(error)
      for (const at of positions) outcomes[at] = { ok: false, line }
    }
    return outcomes
  }

  async #write(steps: readonly WriteStep[]): Promise<readonly KvResult[]> {
    const proposed = await this.#backend.write(steps)
    this.session.lastWriteIndex = Math.max(this.session.lastWriteIndex, proposed.at(-1)?.index ?? 0)
    return proposed.map(({ result }) => result)
  }

  #reply(step: Step, outcome: Outcome | undefined): void {
    if (step.kind === 'call') return
    if (step.kind === 'answer') step.reply(this.#writer)
    else if (outcome === undefined) this.#writer.error('ERR internal error; see the log of this node')
    else if (!outcome.ok) this.#writer.error(outcome.line)
    else if (step.kind === 'read') step.reply(this.#writer, outcome.value as ReadValue)
    else step.reply(this.#writer, outcome.value as KvResult)
  }

  /** Sends what was gathered and waits until the socket has room again. */
  async #flush(): Promise<void> {
    if (this.#writer.length === 0 || this.#socket.destroyed) return
    if (this.#socket.write(this.#writer.take())) return
    this.#socket.setTimeout(STALLED_MS)
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
    this.#socket.setTimeout(IDLE_MS)
  }

  /** The stream can't go on: says why where it can, and ends. */
  #fail(error: unknown): void {
    this.session.isClosing = true
    if (error instanceof ProtocolError) this.#writer.error(`ERR Protocol error: ${error.message}`)
    else if (!(error instanceof ReplyTooLarge)) this.#backend.report(error)
    if (this.#socket.destroyed) return
    if (error instanceof ReplyTooLarge) this.#socket.destroy()
    else {
      this.#socket.write(this.#writer.take())
      this.#socket.destroySoon()
    }
  }
}

/** The steps from `from` on that can run together: writes or reads, with the answers between them. */
function endOfRun(steps: readonly Step[], from: number, endsAppend: (step: WriteStep) => boolean): number {
  let kind: Step['kind'] = 'answer'
  for (let at = from; at < steps.length; at++) {
    const step = steps[at]
    if (step === undefined || step.kind === 'answer') continue
    if (step.kind === 'call' || (kind !== 'answer' && step.kind !== kind)) return at
    kind = step.kind
    if (step.kind === 'write' && endsAppend(step)) return at + 1
  }
  return steps.length
}

/** A command that the log would refuse must not take the others of its batch with it. */
function tooLarge(step: ReadStep | WriteStep): string | null {
  if (step.kind === 'read') return null
  const size = commandSize(step.command)
  return size > COMMAND_BYTES ? `ERR command of ${size} bytes is larger than the limit of ${COMMAND_BYTES}` : null
}
