// Messages as bytes (F50): [version 1, type 1, flags 1, reserved 1, group id 4], then the fields of the type. What
// comes from a peer is never given to a general decoder, every field is checked, and nothing is allocated by a length
// that the bytes at hand don't cover (H91). Never keeps a view of what it was given (H96). Runs in a browser.
import type { Message } from '../core/messages.js'
import { ByteReader, ByteWriter } from './binary.js'
import { refuse } from './field.js'
import { layoutsByNumber, layoutsByType, type MessageLayout } from './message-layout.js'

/** The version of the wire format that this library writes. */
export const MESSAGE_VERSION = 1
const HEADER_BYTES = 8
/** Flags are for later versions, and so is the group, until many groups share one connection. */
const NO_FLAGS = 0
const ONLY_GROUP = 0

/**
 * No message takes more bytes than this beside its entries, commands, members and texts and their overhead; InstallSnapshot
 * has its own.
 */
export const messageOverheadBytes = 96

/** A message in memory of its own. @throws RaftError RAFT_INVARIANT when a field can't be what it is */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  return encodeMessageAfter(message, 0)
}

/**
 * Like `encodeMessage`, with `prefixBytes` zeros in front: a transport's own header goes there, so that a message costs
 * one allocation.
 */
export function encodeMessageAfter(message: Message, prefixBytes: number): Uint8Array<ArrayBuffer> {
  const layout = layoutOf(message)
  const problem = layout.check(message)
  if (problem !== null) refuse('a list', problem, 'what a log can hold')
  const writer = new ByteWriter(new Uint8Array(prefixBytes + sizeBy(layout, message)), prefixBytes)
  writer.uint8(MESSAGE_VERSION)
  writer.uint8(layout.number)
  writer.uint8(NO_FLAGS)
  writer.uint8(0)
  writer.uint32(ONLY_GROUP)
  for (const [name, field] of layout.fields) field.write(writer, valueOf(message, name), name)
  return writer.bytes
}

/** Exactly the bytes that `encodeMessage` would return. */
export function encodedSize(message: Message): number {
  return sizeBy(layoutOf(message), message)
}

/**
 * The message that `bytes` are, all of them. Copies payloads and checks every field.
 * @throws RaftError RAFT_CORRUPTION that says what is wrong and where; never anything else
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes, 'A message')
  const version = reader.uint8('the version')
  if (version !== MESSAGE_VERSION) reader.fail(`its version is ${version}, not ${MESSAGE_VERSION}`)
  const number = reader.uint8('the type')
  const layout = layoutsByNumber.get(number) ?? reader.fail(`its type ${number} is unknown`)
  const flags = reader.uint8('the flags')
  if (flags !== NO_FLAGS) reader.fail(`its flags are ${flags}, which means nothing`)
  if (reader.uint8('the reserved byte') !== 0) reader.fail('its reserved byte is not zero')
  const group = reader.uint32('the group id')
  if (group !== ONLY_GROUP) reader.fail(`its group id is ${group}; there is only group ${ONLY_GROUP}`)
  const message: Record<string, unknown> = { type: layout.type }
  for (const [name, field] of layout.fields) message[name] = field.read(reader, name)
  reader.end()
  // Every field that the type has was read by the layout of that type.
  const decoded = message as unknown as Message
  const problem = layout.check(decoded)
  if (problem !== null) reader.fail(problem)
  return decoded
}

const BULK: ReadonlySet<Message['type']> = new Set(['appendEntries', 'proposeRequest', 'installSnapshot'])

/** `control` must never wait behind `bulk`, which carries entries, commands and snapshots (H94). */
export function messageLane(message: Message): 'control' | 'bulk' {
  return BULK.has(message.type) ? 'bulk' : 'control'
}

function layoutOf(message: Message): MessageLayout {
  return layoutsByType.get(message.type) ?? refuse('type', message.type, 'the type of a message')
}

function sizeBy(layout: MessageLayout, message: Message): number {
  return layout.fields.reduce((size, [name, field]) => size + field.sizeOf(valueOf(message, name)), HEADER_BYTES)
}

function valueOf(message: Message, name: string): unknown {
  return (message as unknown as Readonly<Record<string, unknown>>)[name]
}
