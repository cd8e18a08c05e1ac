// Log lines as text: `2026/01/15 10:00:00 [INFO] raft: message key=value`. One event is one line: control characters of
// any value are escaped (security.md §8). It never throws and never waits; what the stream can't take, it drops.
import type { Logger } from 'helios-raft'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

export interface TextLoggerOptions {
  /** @defaultValue 'info' */
  readonly level?: LogLevel | undefined
  /** Stands before each message. @defaultValue 'raft' */
  readonly source?: string | undefined
  /** Takes one line with its line end. @defaultValue standard output */
  readonly write?: ((line: string) => void) | undefined
  /** @defaultValue the wall clock */
  readonly now?: (() => Date) | undefined
}

/** Whether a text is a level. */
export function isLogLevel(text: string): text is LogLevel {
  return (LEVELS as readonly string[]).includes(text)
}

/** A Logger for RaftNode and for the server itself. */
export function textLogger(options: TextLoggerOptions = {}): Logger {
  const { level = 'info', source = 'raft', now = () => new Date() } = options
  const write = options.write ?? ((line: string): void => void process.stdout.write(line))
  const threshold = LEVELS.indexOf(level)
  const log = (lineLevel: LogLevel) => {
    if (LEVELS.indexOf(lineLevel) < threshold) return () => {}
    return (fields: object, message: string): void => {
      write(`${timestamp(now())} [${lineLevel.toUpperCase()}] ${source}: ${escaped(message)}${formatFields(fields)}\n`)
    }
  }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

function formatFields(fields: object): string {
  let text = ''
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) text += ` ${escaped(key)}=${formatValue(value)}`
  }
  return text
}

function formatValue(value: unknown): string {
  const text = textOf(value)
  return /^[^\s"=]+$/.test(text) ? escaped(text) : `"${escaped(text).replaceAll('"', '\\"')}"`
}

function textOf(value: unknown): string {
  if (value instanceof Error) return value.message
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    // A cycle or a bigint: the line still appears.
    return '[object]'
  }
}

/** Line ends, terminal escapes and other control characters become visible. */
export function escaped(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    const code = char.charCodeAt(0).toString(16)
    return char === '\n' ? '\\n' : char === '\r' ? '\\r' : char === '\t' ? '\\t' : `\\u${code.padStart(4, '0')}`
  })
}
