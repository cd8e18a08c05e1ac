import { describe, expect, it } from 'vitest'
import { AnswerTime } from '../../../src/node/answer-time.js'

/** Messages one after the other, each sent when the one before was answered, after so many ms. */
function windowAfter(answerTime: AnswerTime, startMs: number, times: readonly number[]): number {
  let nowMs = startMs
  for (const [end, time] of times.entries()) {
    answerTime.sent(end, { nowMs, isAlone: true })
    nowMs += time
    answerTime.answered(end, nowMs)
  }
  return answerTime.window(nowMs)
}

describe('the time that answers take', () => {
  it.each([
    { times: [], window: 1 },
    { times: [24], window: 1 },
    { times: [25], window: 2 },
    { times: [110], window: 5 },
    { times: [110, 60, 300], window: 3 },
  ])('allows $window messages after answers of $times ms', ({ times, window }) => {
    expect(windowAfter(new AnswerTime(), 0, times)).toBe(window)
  })

  it('times the first of what is under way, and nothing that may have been sent twice', () => {
    const answerTime = new AnswerTime()
    answerTime.sent(10, { nowMs: 0, isAlone: true })
    answerTime.sent(20, { nowMs: 90, isAlone: false })
    answerTime.answered(9, 95)
    expect(answerTime.window(95)).toBe(1)
    answerTime.answered(20, 100)
    expect(answerTime.window(100)).toBe(5)
    answerTime.sent(30, { nowMs: 200, isAlone: true })
    answerTime.forget()
    answerTime.answered(30, 201)
    expect(answerTime.window(201)).toBe(5)
  })

  it('learns after ten seconds that the way became longer, and at once that it became shorter', () => {
    const answerTime = new AnswerTime()
    expect(windowAfter(answerTime, 0, [1])).toBe(1)
    expect(windowAfter(answerTime, 1_000, Array<number>(90).fill(100))).toBe(1)
    expect(windowAfter(answerTime, 10_001, [100])).toBe(5)
    expect(windowAfter(answerTime, 10_200, [30])).toBe(2)
  })

  it.each([1, 20, 30, 50, 110])('does not grow by its own queue, at %i ms a message', (workMs) => {
    const answerTime = new AnswerTime()
    const inflight: { readonly end: number; readonly doneMs: number }[] = []
    let [nowMs, end, freeMs, widest] = [0, 0, 0, 0]
    while (nowMs < 300_000) {
      while (inflight.length < answerTime.window(nowMs)) {
        end += 1
        answerTime.sent(end, { nowMs, isAlone: inflight.length === 0 })
        freeMs = Math.max(freeMs, nowMs) + workMs
        inflight.push({ end, doneMs: freeMs + 1 })
      }
      widest = Math.max(widest, inflight.length)
      const first = inflight.shift()
      nowMs = first?.doneMs ?? nowMs
      answerTime.answered(first?.end ?? 0, nowMs)
    }
    expect(widest).toBeLessThanOrEqual(2 + workMs / 25)
  })
})
