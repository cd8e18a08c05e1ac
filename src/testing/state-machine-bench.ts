// The bench of testStateMachine: replicas of the user's state machine, driven as a node drives it, and properties over
// them whose failures say what the contract is, what was seen, and the smallest input that shows it.
import { isDeepStrictEqual } from 'node:util'
import type { Arbitrary } from 'fast-check'
import type { LogIndex } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { Codec } from '../interfaces/codec.js'
import type { SnapshotMeta, StateMachine } from '../interfaces/state-machine.js'
import { watchImpurity } from './impurity-watch.js'
import type { FastCheck } from './property/fast-check.js'

/** Ms since 1970 of the first entry of each log. */
const FIRST_TIMESTAMP = 1_700_000_000_000

/** Longest text of a state in a message. */
const MAX_PRINTED = 500

export interface BenchOptions<Command, SM extends StateMachine<Command, unknown>> {
  readonly fc: FastCheck
  readonly create: () => SM
  readonly command: Arbitrary<Command>
  /** Null: the bytes of a snapshot. */
  readonly digest: ((stateMachine: SM) => unknown) | null
  readonly codec: Codec<Command> | null
  readonly seed: number
  readonly numRuns: number
}

/** Makes replicas, and checks properties of them. One for each case. */
export class StateMachineBench<Command, SM extends StateMachine<Command, unknown> = StateMachine<Command, unknown>> {
  readonly fc: FastCheck
  readonly #options: BenchOptions<Command, SM>

  constructor(options: BenchOptions<Command, SM>) {
    this.#options = options
    this.fc = options.fc
  }

  /** A log of up to `maxLength` commands. */
  log(maxLength = 12): Arbitrary<Command[]> {
    return this.fc.array(this.#options.command, { maxLength })
  }

  create(): Replica<Command, SM> {
    return new Replica(this, this.#options)
  }

  /** A new replica that has applied these. */
  async applied(log: readonly Command[]): Promise<Replica<Command, SM>> {
    const replica = this.create()
    await replica.applyAll(log)
    return replica
  }

  /** Throws unless `body` resolves for whatever `input` gives. */
  async check<Input>(contract: string, input: Arbitrary<Input>, body: (input: Input) => Promise<void>): Promise<void> {
    const { fc } = this
    const { seed, numRuns } = this.#options
    const details = await fc.check(fc.asyncProperty(input, body), { seed, numRuns })
    if (!details.failed) return
    const { counterexample, errorInstance, numShrinks } = details
    const seen = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
    const lines = [
      seen,
      `  contract: ${contract}`,
      `  counterexample, shrunk ${numShrinks} times: ${fc.stringify(counterexample?.[0])}`,
      `  replay: testStateMachine(factory, { …the same, seed: ${seed} })`,
    ]
    throw new Error(lines.join('\n'), { cause: errorInstance })
  }

  /** Throws unless both are in one state and answer the same to what comes. */
  async expectSame(
    what: string,
    actual: Replica<Command, SM>,
    expected: { readonly replica: Replica<Command, SM>; readonly next?: readonly Command[] },
  ): Promise<void> {
    const { replica, next = [] } = expected
    this.expectEqual(`${what}: the state`, await actual.digest(), await replica.digest())
    for (const [at, command] of next.entries()) {
      const results = [await actual.apply(command), await replica.apply(command)] as const
      this.expectEqual(`${what}: the result of the command ${at + 1} that followed`, ...results)
    }
    if (next.length > 0)
      this.expectEqual(`${what}: the state after what followed`, await actual.digest(), await replica.digest())
  }

  expectEqual(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) return
    throw new Error(`${what} is ${this.print(actual)}, it must be ${this.print(expected)}`)
  }

  /** Bytes as text where they are one. */
  print(value: unknown): string {
    const text = value instanceof Uint8Array ? printBytes(value) : this.fc.stringify(value)
    return text.length <= MAX_PRINTED ? text : `${text.slice(0, MAX_PRINTED)}… (${text.length} characters)`
  }
}

/** One instance of the state machine, and how far it has applied. */
export class Replica<Command, SM extends StateMachine<Command, unknown>> {
  readonly stateMachine: SM
  /** Clocks and sources of chance that `apply` has read. */
  readonly impurities: Set<string> = new Set()
  readonly #bench: StateMachineBench<Command, SM>
  readonly #options: BenchOptions<Command, SM>
  #lastApplied: LogIndex = 0

  constructor(bench: StateMachineBench<Command, SM>, options: BenchOptions<Command, SM>) {
    this.#bench = bench
    this.#options = options
    this.stateMachine = options.create()
  }

  /** A copy of its own, as if decoded from the log. */
  decode(command: Command): Command {
    const { codec } = this.#options
    try {
      return codec === null ? structuredClone(command) : codec.decode(codec.encode(command))
    } catch (error) {
      const message = `the command ${this.#bench.print(command)} can't be copied: give the \`codec\` of the commands`
      throw new RaftError('RAFT_INVALID_OPTION', message, { cause: error })
    }
  }

  apply(command: Command): Promise<unknown> {
    return this.applyDecoded(this.decode(command))
  }

  /** Applies this very object. */
  async applyDecoded(command: Command): Promise<unknown> {
    this.#lastApplied += 1
    const index = this.#lastApplied
    const context = { index, term: 1, timestamp: FIRST_TIMESTAMP + index * 1_000 }
    try {
      return await watchImpurity(this.impurities, () => this.stateMachine.apply(command, context))
    } catch (error) {
      const message = `apply threw '${textOf(error)}', which stops the node: to refuse a command, return a value`
      throw new Error(message, { cause: error })
    }
  }

  async applyAll(log: readonly Command[]): Promise<unknown[]> {
    const results: unknown[] = []
    for (const command of log) results.push(await this.apply(command))
    return results
  }

  /**
   * A snapshot as a node takes it: the first chunk is asked for in the turn in which the iterable is had.
   * @param signal - tells the state machine that it is given up
   */
  async beginSnapshot(signal: AbortSignal = new AbortController().signal): Promise<RunningSnapshot> {
    const had = this.stateMachine.snapshot({ index: this.#lastApplied, term: 1, signal })
    const iterable = 'then' in had ? await had : had
    const iterator = iterable[Symbol.asyncIterator]()
    return { iterator, first: iterator.next() }
  }

  /** A snapshot without anything between. */
  async snapshot(): Promise<Uint8Array[]> {
    const { iterator, first } = await this.beginSnapshot()
    const chunks: Uint8Array[] = []
    for (let pulled = await first; pulled.done !== true; pulled = await iterator.next()) {
      expectChunk(pulled.value)
      chunks.push(pulled.value.slice())
    }
    return chunks
  }

  async restore(chunks: AsyncIterable<Uint8Array>, lastIncludedIndex: LogIndex): Promise<void> {
    const meta: SnapshotMeta = {
      lastIncludedIndex,
      lastIncludedTerm: 1,
      lastIncludedTimestamp: FIRST_TIMESTAMP + lastIncludedIndex * 1_000,
      configuration: { members: [], votersOutgoing: [] },
      configurationIndex: 0,
    }
    await this.stateMachine.restore(chunks, meta)
    this.#lastApplied = lastIncludedIndex
  }

  get lastApplied(): LogIndex {
    return this.#lastApplied
  }

  /** What must be equal on all replicas. */
  async digest(): Promise<unknown> {
    const { digest } = this.#options
    return digest === null ? concat(await this.snapshot()) : await digest(this.stateMachine)
  }
}

export interface RunningSnapshot {
  readonly iterator: AsyncIterator<Uint8Array>
  /** The first pull, under way. */
  readonly first: Promise<IteratorResult<Uint8Array>>
}

/** Throws unless it is what a snapshot may consist of. */
export function expectChunk(chunk: unknown): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return
  throw new Error(`snapshot gave a chunk that is ${typeof chunk}, not a Uint8Array`)
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function printBytes(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!/[^\P{Cc}\n\r\t]/u.test(text)) return JSON.stringify(text)
  } catch {
    // Not a text: shown as bytes.
  }
  return `bytes(${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')})`
}
