// A map of strings whose keys may expire by log time, the only clock that a replicated state machine reads: it never goes
// back along the log, and a key is gone when log time reaches its time. The keys are independent. Empty at first.
import type { LinearizabilityModel } from '../model.js'

export type TtlKvInput = (
  | { readonly op: 'get' | 'del'; readonly key: string }
  | {
      readonly op: 'set'
      readonly key: string
      readonly value: string /** null: for ever. */
      readonly ttlMs: number | null
    }
) & {
  /**
   * Log time at which it was applied, in ms: the `timestamp` that `apply` was given. Put it in when the history is made,
   * from the answer. Left out: unknown, and only what holds for every such time is judged.
   */
  readonly nowMs?: number | undefined
}

interface TtlState {
  readonly value: string | null
  /** Infinity: never. NaN: nobody knows, because the time of the set isn't known. */
  readonly expiresAtMs: number
  /** Log time is at least this. */
  readonly nowMs: number
}

const NOTHING_YET: TtlState = { value: null, expiresAtMs: Number.POSITIVE_INFINITY, nowMs: Number.NEGATIVE_INFINITY }

/**
 * A get's output is the value, or null if there is none or it has expired (`set at + ttlMs <= nowMs`). A del's output is
 * true if there was a value, false if not; other outputs of set and del say nothing. An operation whose `nowMs` is below
 * that of one before it on the same key is impossible. Of unknown outcome a set or a del may have happened or not; its
 * `nowMs` is unknown unless given, and so is then the time at which its value expires.
 */
export function ttlKv(): LinearizabilityModel<unknown, TtlKvInput, string | boolean | null> {
  const model: LinearizabilityModel<TtlState, TtlKvInput, string | boolean | null> = {
    init: () => NOTHING_YET,
    key: ({ key }) => key,
    step(before, input, output) {
      if (input.nowMs !== undefined && input.nowMs < before.nowMs) return null
      const state = input.nowMs === undefined ? before : { ...before, nowMs: input.nowMs }
      if (input.op === 'set') return stepSet(state, input.value, expiryOf(input.ttlMs, input.nowMs))
      if (input.op === 'get') {
        if (output === undefined) return state
        return output === null
          ? withoutValue(state, input.nowMs)
          : state.value === output
            ? withValue(state, input.nowMs)
            : null
      }
      const left =
        output === true ? withValue(state, input.nowMs) : output === false ? withoutValue(state, input.nowMs) : state
      return left === null ? null : { ...NOTHING_YET, nowMs: left.nowMs }
    },
    describe(input, output) {
      const value = input.op === 'set' ? ` ${JSON.stringify(input.value)} ttl ${input.ttlMs ?? 'none'}` : ''
      const at = input.nowMs === undefined ? '' : ` at ${input.nowMs}`
      return `${input.op} ${input.key}${value}${at} -> ${JSON.stringify(output)}`
    },
  }
  return model as LinearizabilityModel<unknown, TtlKvInput, string | boolean | null>
}

function expiryOf(ttlMs: number | null, nowMs: number | undefined): number {
  if (ttlMs === null) return Number.POSITIVE_INFINITY
  return nowMs === undefined ? Number.NaN : nowMs + ttlMs
}

function stepSet({ nowMs }: TtlState, value: string, expiresAtMs: number): TtlState {
  return { value, expiresAtMs, nowMs }
}

/** If the value can be there still; null if not. `readMs`: the log time, if it is known. */
function withValue(state: TtlState, readMs: number | undefined): TtlState | null {
  const { value, expiresAtMs, nowMs } = state
  // At an unknown time log time may have stood still, so only the lower bound can prove that the value has expired.
  return value === null || expiresAtMs <= (readMs ?? nowMs) ? null : state
}

/** If the value can be gone, then without it; null if not. */
function withoutValue(state: TtlState, readMs: number | undefined): TtlState | null {
  const { value, expiresAtMs, nowMs } = state
  if (value === null) return state
  if (expiresAtMs === Number.POSITIVE_INFINITY || (readMs !== undefined && readMs < expiresAtMs)) return null
  return { ...NOTHING_YET, nowMs: Number.isNaN(expiresAtMs) ? nowMs : Math.max(nowMs, expiresAtMs) }
}
