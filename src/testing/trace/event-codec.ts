// An event of a core as JSON of a line of a trace, and back: bytes are base64, what JSON has no number for is a word. What
// no core could have been given is refused, so that a damaged line is not taken for a divergence.
import type { CoreEvent, LogEntry, Message, RestoredState } from '../../core/index.js'
import type { CoreStart } from '../../node/internals.js'
import type { StepBody } from './format.js'

type Fields = Readonly<Record<string, unknown>>

/** The event with its fields in their order, as plain JSON. */
export function encodeEvent(event: CoreEvent): unknown {
  if (event.type === 'propose') return { ...event, commands: event.commands.map(encodeBytes) }
  if (event.type !== 'receive') return event
  const { budgetBytes } = event
  const budget = Number.isFinite(budgetBytes) ? budgetBytes : String(budgetBytes)
  return { ...event, message: encodeMessage(event.message), budgetBytes: budget }
}

export function encodeMessage(message: Message): unknown {
  if (message.type === 'appendEntries') return { ...message, entries: message.entries.map(encodeEntry) }
  if (message.type === 'proposeRequest') return { ...message, commands: message.commands.map(encodeBytes) }
  if (message.type === 'installSnapshot') {
    return { ...message, digest: encodeBytes(message.digest), chunk: encodeBytes(message.chunk) }
  }
  return message
}

export function encodeEntry(entry: LogEntry): unknown {
  return { ...entry, data: encodeBytes(entry.data) }
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** What a core was made of, as plain JSON. */
export function encodeRestored(restored: RestoredState): unknown {
  return { ...restored, configurationEntries: restored.configurationEntries?.map(encodeEntry) }
}

/** @throws TypeError naming what is missing */
export function decodeStart({ options, restored, now }: StepBody): CoreStart {
  expect(isFields(options) && isFields(restored) && typeof now === 'number', 'options, restored and now')
  const held = restored as Fields
  const entries = held['configurationEntries']
  const decoded = entries === undefined ? {} : { configurationEntries: decodeList(entries, decodeEntry) }
  return {
    options: options as unknown as CoreStart['options'],
    restored: { ...held, ...decoded } as unknown as RestoredState,
    now: now as number,
  }
}

/** @throws TypeError naming what is missing */
export function decodeEvent(value: unknown): CoreEvent {
  expect(isFields(value) && typeof value['now'] === 'number', 'an event with its time')
  const event = value as Fields
  switch (event['type']) {
    case 'receive':
      return {
        ...event,
        budgetBytes: Number(event['budgetBytes']),
        message: decodeMessage(event['message']),
      } as CoreEvent
    case 'propose':
      return { ...event, commands: decodeList(event['commands'], decodeBytes) } as unknown as CoreEvent
    case 'tick':
    case 'persisted':
    case 'applied':
    case 'read':
    case 'replicas':
    case 'peerStatus':
    case 'outboundDropped':
    case 'snapshotTaken':
    case 'snapshotUnsent':
    case 'snapshotWritten':
    case 'snapshotReceived':
    case 'snapshotInstalled':
    case 'transfer':
    case 'changeMembership':
    case 'cancelChange':
    case 'found':
    case 'reconfigure':
      return event as unknown as CoreEvent
    default:
      throw new TypeError(`an event of a known type, not '${String(event['type'])}'`)
  }
}

function decodeMessage(value: unknown): Message {
  expect(isFields(value) && typeof value['type'] === 'string', 'a message with its type')
  const message = value as Fields
  if (message['type'] === 'appendEntries') {
    return { ...message, entries: decodeList(message['entries'], decodeEntry) } as unknown as Message
  }
  if (message['type'] === 'proposeRequest') {
    return { ...message, commands: decodeList(message['commands'], decodeBytes) } as unknown as Message
  }
  if (message['type'] === 'installSnapshot') {
    const [digest, chunk] = [decodeBytes(message['digest']), decodeBytes(message['chunk'])]
    return { ...message, digest, chunk } as unknown as Message
  }
  return message as unknown as Message
}

function decodeEntry(value: unknown): LogEntry {
  expect(isFields(value), 'an entry')
  const entry = value as Fields
  return { ...entry, data: decodeBytes(entry['data']) } as unknown as LogEntry
}

function decodeBytes(value: unknown): Uint8Array {
  expect(typeof value === 'string', 'bytes in base64')
  return Uint8Array.from(Buffer.from(value as string, 'base64'))
}

function decodeList<T>(value: unknown, decode: (item: unknown) => T): readonly T[] {
  expect(Array.isArray(value), 'a list')
  return (value as unknown[]).map(decode)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(what)
}
