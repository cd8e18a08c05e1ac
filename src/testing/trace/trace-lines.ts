// Reads a trace line by line, from a text or from chunks of bytes, and refuses what is damaged or of another version. What
// a line means is not decided here.
import { refuse, show } from '../option-checks.js'
import { RaftError } from '../../errors.js'
import {
  LIBRARY_VERSION,
  MAX_LINE_BYTES,
  type StepBody,
  TRACE_FORMAT,
  TRACE_VERSION,
  type TraceHeader,
} from './format.js'

/** A line behind the header. */
export interface TraceLine {
  /** Of the line in the file; the header is line 1. */
  readonly number: number
  readonly atMs: number
  readonly node: string
  readonly body: StepBody
}

export interface OpenedTrace {
  readonly header: TraceHeader
  readonly lines: AsyncIterable<TraceLine>
}

/**
 * @throws RaftError RAFT_VERSION for a trace of another format or library, RAFT_CORRUPTION naming the line for anything
 * that is no whole trace, also while `lines` are read
 */
export async function openTrace(trace: string | AsyncIterable<Uint8Array>): Promise<OpenedTrace> {
  if (
    typeof trace !== 'string' &&
    typeof (trace as typeof trace | null | undefined)?.[Symbol.asyncIterator] !== 'function'
  ) {
    refuse(`the trace is ${show(trace)}: use its text, or a stream of its bytes such as createReadStream(file)`)
  }
  const texts = typeof trace === 'string' ? linesOfText(trace) : linesOfBytes(trace)
  const first = await texts.next()
  const header = parseHeader(first.done === true ? '' : first.value)
  return { header, lines: parseLines(texts) }
}

/** What stops a replay because of what stands in a line. */
export function damaged(number: number, problem: string, cause?: unknown): RaftError {
  return new RaftError('RAFT_CORRUPTION', `line ${number} of the trace ${problem}`, { cause })
}

function parseHeader(text: string): TraceHeader {
  const header = parseObject(text, 1) as Partial<TraceHeader>
  if (header.format !== TRACE_FORMAT) throw damaged(1, `is not the header of a ${TRACE_FORMAT}: ${excerpt(text)}`)
  if (header.version !== TRACE_VERSION) {
    throw new RaftError(
      'RAFT_VERSION',
      `the trace has format version ${String(header.version)}, this library reads ${TRACE_VERSION}: replay it with the library that wrote it, ${String(header.library)}`,
    )
  }
  if (header.library !== LIBRARY_VERSION) {
    throw new RaftError(
      'RAFT_VERSION',
      `the trace was written by version ${String(header.library)} of the library and this is ${LIBRARY_VERSION}, which may take other steps: replay it with the version that wrote it`,
    )
  }
  return header as TraceHeader
}

async function* parseLines(texts: AsyncIterator<string>): AsyncGenerator<TraceLine> {
  let number = 1
  let hasEnded = false
  for (let next = await texts.next(); next.done !== true; next = await texts.next()) {
    number += 1
    if (hasEnded) throw damaged(number, 'stands behind the end of the trace')
    const line = parseLine(next.value, number)
    hasEnded = line.body.step === 'end'
    yield line
  }
  if (!hasEnded) throw damaged(number, 'is the last one, but the trace has not ended there: it was cut off')
}

function parseLine(text: string, expected: number): TraceLine {
  const { number, atMs, node, ...body } = parseObject(text, expected)
  if (number !== expected) {
    throw damaged(expected, `says that it is line ${String(number)}: lines are missing, doubled or out of order`)
  }
  if (typeof atMs !== 'number' || typeof node !== 'string' || typeof body['step'] !== 'string') {
    throw damaged(expected, `has no atMs, node and step: ${excerpt(text)}`)
  }
  return { number: expected, atMs, node, body: body as StepBody }
}

function parseObject(text: string, number: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw damaged(number, `is not JSON: ${excerpt(text)}`, error)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw damaged(number, `is not an object: ${excerpt(text)}`)
}

async function* linesOfText(text: string): AsyncGenerator<string> {
  let from = 0
  while (from < text.length) {
    const feed = text.indexOf('\n', from)
    const to = feed < 0 ? text.length : feed
    yield text.slice(from, to)
    from = to + 1
  }
}

async function* linesOfBytes(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let held: string[] = []
  let heldLength = 0
  let count = 1
  for await (const chunk of chunks) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n')
    const rest = pieces.pop() ?? ''
    for (const piece of pieces) {
      yield held.length === 0 ? piece : held.join('') + piece
      held = []
      heldLength = 0
      count += 1
    }
    held.push(rest)
    heldLength += rest.length
    if (heldLength > MAX_LINE_BYTES) throw damaged(count, `is longer than ${MAX_LINE_BYTES} bytes`)
  }
  const last = held.join('') + decoder.decode()
  if (last !== '') yield last
}

function excerpt(text: string): string {
  return text.length <= 80 ? `'${text}'` : `'${text.slice(0, 80)}…'`
}
