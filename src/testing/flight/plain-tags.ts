// The first byte of each value in a recording: its kind, or a small whole number by itself. Writer and reader share it; a
// change is a new `FLIGHT_VERSION`.

export const TAG: {
  readonly undefined: 0
  readonly null: 1
  readonly false: 2
  readonly true: 3
  /** A varint. */
  readonly integer: 4
  readonly float: 5
  /** Told for the first time: it gets the next number. */
  readonly newText: 6
  readonly knownText: 7
  readonly longText: 8
  readonly bytes: 9
  /** Bytes of which only the count was kept. */
  readonly zeros: 10
  readonly list: 11
  readonly map: 12
  readonly set: 13
  /** An object of names that come for the first time: they get the next number. */
  readonly newShape: 14
  readonly knownShape: 15
  readonly looseObject: 16
} = Object.freeze({
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  float: 5,
  newText: 6,
  knownText: 7,
  longText: 8,
  bytes: 9,
  zeros: 10,
  list: 11,
  map: 12,
  set: 13,
  newShape: 14,
  knownShape: 15,
  looseObject: 16,
})

/** From here on the byte is the number. */
export const FIRST_SMALL = 32
export const LARGEST_SMALL: number = 255 - FIRST_SMALL
export const LARGEST_VARINT = 0x7fff_ffff

/** Texts and shapes that get a number, of each segment; what comes later is written out. */
export const MAX_KNOWN = 4_096
/** Longer texts are written out each time. */
export const MAX_KNOWN_LENGTH = 64
/** Deepest nesting; what ends a cycle. */
export const MAX_DEPTH = 32
