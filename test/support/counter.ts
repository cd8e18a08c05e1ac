// The smallest state machine whose snapshot matters: a sum.
export class Counter {
  total = 0
  apply = (by: number): number => (this.total += by)
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield Buffer.from(String(this.total))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of chunks) text += Buffer.from(chunk).toString()
    this.total = Number(text)
  }
}
