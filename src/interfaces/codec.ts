// How a value becomes the bytes of a command, and back.

export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array
  /** Must not keep a view of `data`. */
  readonly decode: (data: Uint8Array) => T
}
