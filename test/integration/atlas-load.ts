// Clients of Atlas KV that write without pause and count what they were told: acknowledged, unknown, and how long nobody was
// answered. A write that failed for certain is written again; a client whose node is gone or out goes to another one.
import { RespClient } from '../../examples/atlas-kv/src/tools/resp-client.js'

export interface AtlasLoadOptions {
  readonly clients: number
  /** RESP ports to choose from, at each moment. */
  readonly ports: () => readonly number[]
}

export class AtlasLoad {
  /** INCRs of `n`. */
  acknowledged = 0
  unknown = 0
  /** Keys whose SET was acknowledged, with their values. */
  readonly values = new Map<string, string>()
  /** What no client may ever be told. */
  readonly surprises: string[] = []
  /** The longest time without an acknowledged INCR, ms. */
  longestGapMs = 0
  #lastAt = performance.now()
  #isOver = false
  readonly #waiting = new Set<() => void>()
  readonly #running: Promise<unknown>

  constructor({ clients, ports }: AtlasLoadOptions) {
    this.#running = Promise.all(Array.from({ length: clients }, (_, i) => this.#client(i, ports)))
  }

  /** Resolves when that many more are acknowledged. */
  async more(count: number): Promise<void> {
    const target = this.acknowledged + count
    while (this.acknowledged < target) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #client(number: number, ports: () => readonly number[]): Promise<void> {
    for (let turn = number; !this.#isOver; turn++) {
      const open = ports()
      const client = await RespClient.connect(open[turn % open.length] ?? 0).catch(() => null)
      if (client === null) continue
      await this.#write(client, `${number}-${turn}`)
      client.close()
    }
  }

  /** Until this node can't serve any more. */
  async #write(client: RespClient, prefix: string): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      const key = `${prefix}-${i}`
      const [counted, set] = await Promise.all([
        client.call('INCR', 'n').catch(() => new Error('UNKNOWN connection lost')),
        client.call('SET', key, `value ${key}`).catch(() => new Error('UNKNOWN connection lost')),
      ])
      if (set === 'OK') this.values.set(key, `value ${key}`)
      if (typeof counted === 'number') this.#acknowledge()
      else if (counted instanceof Error && this.#refused(counted.message)) return
    }
  }

  #acknowledge(): void {
    const now = performance.now()
    this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastAt)
    this.#lastAt = now
    this.acknowledged += 1
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  /** Whether the client should go elsewhere. */
  #refused(message: string): boolean {
    if (/^(UNKNOWN|TIMEOUT) /.test(message)) this.unknown += 1
    else if (!/^(CLUSTERDOWN|BUSY|LOADING) /.test(message)) this.surprises.push(message)
    return !message.startsWith('BUSY')
  }
}
