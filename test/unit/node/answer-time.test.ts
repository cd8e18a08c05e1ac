import { describe, expect, it } from 'vitest'
import { AnswerTime } from '../../../src/node/answer-time.js'

describe('the time that answers take', () => {
  /** Answers one after the other, each after so many ms. */
  const windowAfter = (answerTime: AnswerTime, startMs: number, times: readonly number[]): number => {
    let nowMs = startMs
    for (const [end, time] of times.entries()) {
      answerTime.sent(end, nowMs)
      nowMs += time
      answerTime.answered(end, nowMs)
    }
    return answerTime.window
  }

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
    answerTime.sent(10, 0)
    answerTime.sent(20, 90)
    answerTime.answered(9, 95)
    expect(answerTime.window).toBe(1)
    answerTime.answered(20, 100)
    expect(answerTime.window).toBe(5)
    answerTime.sent(30, 200)
    answerTime.forget()
    answerTime.answered(30, 201)
    expect(answerTime.window).toBe(5)
  })

  it('learns within twenty seconds that the way became longer, and at once that it became shorter', () => {
    const answerTime = new AnswerTime()
    expect(windowAfter(answerTime, 0, [1])).toBe(1)
    expect(windowAfter(answerTime, 1_000, Array<number>(90).fill(100))).toBe(1)
    expect(windowAfter(answerTime, 10_001, Array<number>(101).fill(100))).toBe(5)
    expect(windowAfter(answerTime, 20_200, [30])).toBe(2)
  })
})
