// What the lock protects: a service of its own, which knows nothing of the cluster and has no clock. It refuses a write
// under an older token than the newest that it saw. A real one keeps that token as durably as the data, in the same write.

export class Storage {
  #newestToken = 0
  #value = ''

  get value(): string {
    return this.#value
  }

  /** Whether the write was taken. */
  write({ token, value }: { readonly token: number; readonly value: string }): boolean {
    if (token < this.#newestToken) return false
    this.#newestToken = token
    this.#value = value
    return true
  }
}
