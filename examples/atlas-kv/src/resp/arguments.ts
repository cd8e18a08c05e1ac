// Reading of command arguments: integers as strict as Redis's, keys, option words. Errors are thrown as CommandError
// with Redis's own text; nothing here touches data.
import { byteString, copyBytes } from '../state-machine/bytes.js'
import type { ByteString, ExpiryTime } from '../state-machine/command.js'
import { MAX_EXPIRY_MS } from '../state-machine/command.js'
import { parseInteger } from '../state-machine/integer.js'

/** The arguments of a command, its name first. */
export type Arguments = readonly Buffer[]

/** A command is refused with this text; the connection goes on. */
export class CommandError extends Error {}

export const NOT_INTEGER = 'ERR value is not an integer or out of range'
export const SYNTAX_ERROR = 'ERR syntax error'

const NOTHING = Buffer.alloc(0)

export function argument(args: Arguments, at: number): Buffer {
  return args[at] ?? NOTHING
}

export function keyAt(args: Arguments, at: number): ByteString {
  return byteString(argument(args, at))
}

export function keysFrom(args: Arguments, at: number): ByteString[] {
  return args.slice(at).map((arg) => byteString(arg))
}

/** A value in memory of its own: arguments are views of what came from the socket (H96). */
export function valueAt(args: Arguments, at: number): Uint8Array {
  return copyBytes(argument(args, at))
}

export function wordAt(args: Arguments, at: number): string {
  return argument(args, at).toString('latin1').toUpperCase()
}

export function integerAt(args: Arguments, at: number): bigint {
  const value = parseInteger(argument(args, at))
  if (value === null) throw new CommandError(NOT_INTEGER)
  return BigInt(value)
}

export function wrongArity(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`)
}

export function invalidExpiry(name: string): CommandError {
  return new CommandError(`ERR invalid expire time in '${name}' command`)
}

/** A time as EX, PX, EXAT and PXAT give it. @param unitMs - 1000 or 1 */
export function expiryTime(amount: bigint, unitMs: 1 | 1000, absolute: boolean, name: string): ExpiryTime {
  const ms = amount * BigInt(unitMs)
  // Half of the limit, so that no sum with log time leaves it.
  if (ms > BigInt(MAX_EXPIRY_MS / 2) || ms < -BigInt(MAX_EXPIRY_MS / 2)) throw invalidExpiry(name)
  return absolute ? { atMs: Number(ms) } : { inMs: Number(ms) }
}

/** A name as CLIENT SETNAME takes it. Throws CommandError. */
export function checkedName(name: Buffer): string {
  const text = name.toString('latin1')
  if (!/^[!-~]{0,512}$/.test(text)) {
    throw new CommandError('ERR Client names cannot contain spaces, newlines or special characters.')
  }
  return text
}

/** Redis's text for a subcommand that isn't there. @param name - of the command, upper case */
export function unknownSubcommand(args: Arguments, name: string): CommandError {
  const asked = argument(args, 1).toString('latin1', 0, 128)
  return new CommandError(`ERR unknown subcommand '${asked}'. Try ${name} HELP.`)
}
