// An iterator that begins with the first value that is asked for, so that an iterable which nobody looks at holds nothing.
// What can't begin rejects that first value, and is the end.

export class LazyIterator<T> implements AsyncIterator<T, undefined> {
  readonly #begin: () => AsyncIterator<T, undefined>
  #inner: AsyncIterator<T, undefined> | null = null
  #isDone = false

  constructor(begin: () => AsyncIterator<T, undefined>) {
    this.#begin = begin
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#isDone) return { done: true, value: undefined }
    if (this.#inner === null) {
      this.#isDone = true
      this.#inner = this.#begin()
      this.#isDone = false
    }
    return this.#inner.next()
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#isDone = true
    await this.#inner?.return?.()
    return { done: true, value: undefined }
  }
}
