// The fields of changes of the membership on the wire (§6): configurations in the form that they have in the log, the
// members that a change names, and texts as UTF-16 code units.
import { configurationProblem } from '../core/configuration.js'
import { decodeConfiguration, encodeConfiguration } from '../core/configuration-codec.js'
import type { MembershipChange } from '../core/membership-change.js'
import type { Configuration } from '../core/types.js'
import { bytes, type Field, oneOf, refuse } from './field.js'

/** Most UTF-16 code units of a text. */
export const MAX_TEXT_LENGTH = 4_096

export const text: Field<string> = {
  sizeOf: (value) => 2 + 2 * value.length,
  write(writer, value, name) {
    if (value.length > MAX_TEXT_LENGTH) refuse(`the length of ${name}`, value.length, `at most ${MAX_TEXT_LENGTH}`)
    writer.uint16(value.length)
    for (let at = 0; at < value.length; at++) writer.uint16(value.charCodeAt(at))
  },
  read(reader, name) {
    const length = reader.uint16(`the length of ${name}`)
    if (length > MAX_TEXT_LENGTH) reader.fail(`${name} has ${length} characters, more than ${MAX_TEXT_LENGTH}`)
    reader.need(2 * length, name)
    let value = ''
    for (let at = 0; at < length; at++) value += String.fromCharCode(reader.uint16(name))
    return value
  },
}

/** Lists of members, whatever they stand for. */
const members: Field<Configuration | null> = {
  sizeOf: (value) => bytes.sizeOf(encoded(value)),
  write: (writer, value, name) => bytes.write(writer, encoded(value), name),
  read(reader, name) {
    const held = bytes.read(reader, name)
    if (held.byteLength === 0) return null
    return decodeConfiguration(held) ?? reader.fail(`${name} is not the encoding of members`)
  },
}

/** No bytes for null. One that could not be in force is refused, on both ends. */
export const configurationOrNone: Field<Configuration | null> = {
  sizeOf: (value) => members.sizeOf(value),
  write(writer, value, name) {
    const problem = value === null ? null : configurationProblem(value)
    if (problem !== null) refuse(name, problem, 'a configuration')
    members.write(writer, value, name)
  },
  read(reader, name) {
    const configuration = members.read(reader, name)
    const problem = configuration === null ? null : configurationProblem(configuration)
    return problem === null ? configuration : reader.fail(`${name} is not a configuration: ${problem}`)
  },
}

/** A configuration that is there. */
export const configuration: Field<Configuration> = {
  sizeOf: (value) => configurationOrNone.sizeOf(value),
  write: (writer, value, name) => configurationOrNone.write(writer, value, name),
  read: (reader, name) => configurationOrNone.read(reader, name) ?? reader.fail(`${name} is missing`),
}

const changeType = oneOf<MembershipChange['type'] | null>([null, 'add', 'update', 'promote', 'demote', 'remove', 'set'])

/** What a client asks for; whether it makes sense is the leader's to say. */
export const changeOrNone: Field<MembershipChange | null> = {
  sizeOf: (value) => 1 + members.sizeOf(asConfiguration(value)),
  write(writer, value, name) {
    changeType.write(writer, value?.type ?? null, name)
    members.write(writer, asConfiguration(value), name)
  },
  read(reader, name) {
    const type = changeType.read(reader, name)
    const asked = members.read(reader, name)
    if (type === null && asked === null) return null
    if (type === null || asked === null || asked.members.length === 0 || asked.votersOutgoing.length > 0) {
      return reader.fail(`${name} does not say which members it is about`)
    }
    return { type, members: asked.members }
  },
}

function asConfiguration(change: MembershipChange | null): Configuration | null {
  return change === null ? null : { members: change.members, votersOutgoing: [] }
}

function encoded(value: Configuration | null): Uint8Array {
  return value === null ? new Uint8Array(0) : encodeConfiguration(value)
}
