// Which links of a memory network work, and how well: loss and latency from one seed, groups, one-way cuts. It decides
// and never carries.
import type { NodeId } from '../../core/types.js'
import { RaftError } from '../../errors.js'

export interface MemoryNetworkOptions {
  /** Decides latencies and losses. @defaultValue 1 */
  seed?: number | undefined
  /** How long a message takes, ms, or a range of it. Nothing overtakes within a lane. @defaultValue 0 */
  latencyMs?: number | readonly [min: number, max: number] | undefined
  /** Share of messages that are lost, 0 to 1. @defaultValue 0 */
  lossRatio?: number | undefined
}

const DEFAULTS = { seed: 1, latencyMs: 0, lossRatio: 0 } as const
/** The longest that a platform's timer can wait. */
const MAX_LATENCY_MS = 2 ** 31 - 1

export class Links {
  readonly #random: () => number
  readonly #latencyMs: readonly [min: number, max: number]
  readonly #lossRatio: number
  #groupOf: ReadonlyMap<NodeId, number> | null = null
  readonly #cuts = new Map<NodeId, Set<NodeId>>()

  /** @throws RaftError RAFT_INVALID_OPTION */
  constructor(options: MemoryNetworkOptions) {
    const { seed = DEFAULTS.seed, latencyMs = DEFAULTS.latencyMs, lossRatio = DEFAULTS.lossRatio } = options
    if (!Number.isSafeInteger(seed)) invalid('seed', seed, 'a whole number')
    const [min, max] = typeof latencyMs === 'number' ? [latencyMs, latencyMs] : latencyMs
    if (!(min >= 0 && max >= min && max <= MAX_LATENCY_MS)) {
      invalid('latencyMs', latencyMs, 'a number of milliseconds from 0 on, or a rising pair of them')
    }
    if (!(lossRatio >= 0 && lossRatio <= 1)) invalid('lossRatio', lossRatio, 'a number from 0 to 1')
    this.#random = seeded(seed)
    this.#latencyMs = [min, max]
    this.#lossRatio = lossRatio
  }

  partition(groups: readonly (readonly NodeId[])[]): void {
    const ids = groups.flat()
    if (new Set(ids).size !== ids.length) invalid('groups', groups, 'lists without a node in common')
    this.#groupOf = new Map(groups.flatMap((group, number) => group.map((id) => [id, number] as const)))
  }

  cut(from: NodeId, to: NodeId): void {
    const cuts = this.#cuts.get(from) ?? new Set()
    this.#cuts.set(from, cuts.add(to))
  }

  heal(): void {
    this.#groupOf = null
    this.#cuts.clear()
  }

  reaches(from: NodeId, to: NodeId): boolean {
    if (this.#cuts.get(from)?.has(to) === true) return false
    if (this.#groupOf === null) return true
    const group = this.#groupOf.get(from)
    return group !== undefined && group === this.#groupOf.get(to)
  }

  /** Drawn for each message. */
  loses(): boolean {
    return this.#lossRatio > 0 && this.#random() < this.#lossRatio
  }

  /** Drawn for each message. */
  latencyMs(): number {
    const [min, max] = this.#latencyMs
    return max === min ? min : min + (max - min) * this.#random()
  }
}

/** [0, 1), the same row of numbers for the same seed: a Weyl sequence, scrambled by two rounds of multiply and xor. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000
  }
}

function invalid(option: string, value: unknown, expected: string): never {
  throw new RaftError(
    'RAFT_INVALID_OPTION',
    `The MemoryNetwork option ${option} is ${JSON.stringify(value)}, not ${expected}.`,
  )
}
