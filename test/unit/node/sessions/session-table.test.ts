// The rules of exactly-once (§8, F18), on the table alone.
import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../../src/core/types.js'
import { NODE_RULES } from '../../../../src/node/node-rules.js'
import type { SessionAnswer } from '../../../../src/node/sessions/session-record.js'
import {
  MAX_ANSWER_BYTES,
  MAX_ANSWERS,
  MAX_TABLE_BYTES,
  SessionTable,
} from '../../../../src/node/sessions/session-table.js'

class Log {
  readonly table = new SessionTable(NODE_RULES)
  readonly ran: string[] = []
  time = 1_000
  #index = 0

  open(id = 's', ttlMs = 100, openedAt = 0) {
    return this.table.open(this.#entry(), { type: 'open', id, openedAt, ttlMs })
  }

  close(id = 's', openedAt = 1) {
    return this.table.close(this.#entry(), { type: 'close', id, openedAt })
  }

  /** As the applier does it: the command runs where the table says so. */
  command(sequence: number, { acknowledged = 0, id = 's', openedAt = 1, bytes = 1 } = {}) {
    const entry = this.#entry()
    const command = new Uint8Array(0)
    const verdict = this.table.judge(entry, { type: 'command', id, openedAt, sequence, acknowledged, command })
    if (verdict.type !== 'run') return verdict
    this.ran.push(`${id}/${sequence}`)
    const answer: SessionAnswer = { sequence, index: entry.index, term: 1, type: 'value', data: new Uint8Array(bytes) }
    return this.table.answered(verdict.record, answer)
  }

  #entry(): LogEntry {
    this.#index += 1
    return { index: this.#index, term: 1, type: 'session', timestamp: this.time, data: new Uint8Array(0) }
  }
}

describe('a session', () => {
  it('runs a sequence once and gives its first answer again', () => {
    const log = new Log()
    expect(log.open()).toEqual({ type: 'opened', openedAt: 1, acknowledged: 0, lastSequence: 0 })
    const first = log.command(1)
    expect(first).toMatchObject({ type: 'answered', answer: { index: 2 } })
    expect(log.command(1)).toEqual(first)
    expect(log.ran).toEqual(['s/1'])
  })

  it('forgets what was acknowledged, and refuses it for ever', () => {
    const log = new Log()
    log.open()
    for (const sequence of [1, 2]) log.command(sequence)
    expect(log.command(3, { acknowledged: 1 })).toMatchObject({ type: 'answered' })
    expect(log.command(1)).toEqual({ type: 'refused', reason: 'acknowledged' })
    expect(log.command(2)).toMatchObject({ type: 'answered', answer: { index: 3 } })
    expect(log.ran).toEqual(['s/1', 's/2', 's/3'])
    expect(log.open()).toMatchObject({ acknowledged: 1, lastSequence: 3 })
  })

  it('runs sequences in rising order only: one that was overtaken never runs', () => {
    const log = new Log()
    log.open()
    log.command(5)
    expect(log.command(4)).toEqual({ type: 'refused', reason: 'overtaken' })
    log.command(9)
    expect(log.ran).toEqual(['s/5', 's/9'])
  })

  it('takes an acknowledgement of what never ran as the end of that too', () => {
    const log = new Log()
    log.open()
    log.command(1)
    expect(log.command(7, { acknowledged: 5 })).toMatchObject({ type: 'answered' })
    expect(log.command(4)).toEqual({ type: 'refused', reason: 'acknowledged' })
  })

  it('is over when log time went on by more than its ttl without it, and never runs anything again (H72)', () => {
    const log = new Log()
    log.open('s', 100)
    log.command(1)
    log.time += 100
    expect(log.command(2)).toMatchObject({ type: 'answered' })
    log.time += 101
    expect(log.command(1)).toEqual({ type: 'refused', reason: 'expired' })
    expect(log.command(3)).toEqual({ type: 'refused', reason: 'expired' })
    expect(log.ran).toEqual(['s/1', 's/2'])
  })

  it('of the same id in a second life knows nothing of the first, and takes no command of it', () => {
    const log = new Log()
    log.open()
    log.command(1)
    log.time += 1_000
    const again = log.open()
    expect(again).toMatchObject({ type: 'opened', lastSequence: 0 })
    expect(log.command(1)).toEqual({ type: 'refused', reason: 'expired' })
    expect(log.ran).toEqual(['s/1'])
  })

  it('is taken up by its life only where that is named, and never begun', () => {
    const log = new Log()
    log.open()
    expect(log.open('s', 100, 1)).toMatchObject({ type: 'opened', openedAt: 1 })
    expect(log.open('s', 100, 2)).toEqual({ type: 'refused', reason: 'expired' })
    log.time += 1_000
    expect(log.open('s', 100, 1)).toEqual({ type: 'refused', reason: 'expired' })
    expect(log.open('other', 100, 5)).toEqual({ type: 'refused', reason: 'expired' })
    expect(log.open()).toMatchObject({ type: 'opened', openedAt: 6 })
    expect(log.open('s', 100, 1)).toEqual({ type: 'refused', reason: 'expired' })
  })

  it('is closed by its own life only', () => {
    const log = new Log()
    log.open()
    log.close('s', 7)
    expect(log.command(1)).toMatchObject({ type: 'answered' })
    log.close()
    expect(log.command(2)).toEqual({ type: 'refused', reason: 'expired' })
    expect([log.table.size, log.table.bytes]).toEqual([0, 0])
  })

  it('that was never opened is refused', () => {
    expect(new Log().command(1)).toEqual({ type: 'refused', reason: 'expired' })
  })
})

describe('the bounds of the table', () => {
  it('refuse a command when too many answers are kept, until some are acknowledged', () => {
    const log = new Log()
    log.open()
    for (let sequence = 1; sequence <= MAX_ANSWERS; sequence++) log.command(sequence)
    expect(log.command(MAX_ANSWERS + 1)).toEqual({ type: 'refused', reason: 'answersFull' })
    expect(log.command(MAX_ANSWERS + 1, { acknowledged: 1 })).toMatchObject({ type: 'answered' })
    expect(log.ran).toHaveLength(MAX_ANSWERS + 1)
  })

  it('refuse a command when the answers are too large', () => {
    const log = new Log()
    log.open()
    log.command(1, { bytes: MAX_ANSWER_BYTES })
    expect(log.command(2)).toEqual({ type: 'refused', reason: 'answersFull' })
    expect(log.command(1)).toMatchObject({ type: 'answered' })
  })

  it('refuse another session when all of them have no room, until some have expired', () => {
    const log = new Log()
    const count = MAX_TABLE_BYTES / MAX_ANSWER_BYTES
    for (let at = 0; at < count; at++) {
      log.open(`${at}`)
      log.command(1, { id: `${at}`, openedAt: 2 * at + 1, bytes: MAX_ANSWER_BYTES })
    }
    expect(log.open('other')).toEqual({ type: 'refused', reason: 'tableFull' })
    expect(log.command(2, { id: '0', openedAt: 1 })).toMatchObject({ type: 'refused' })
    log.time += 1_000
    expect(log.open('other')).toMatchObject({ type: 'opened' })
    expect(log.table.bytes).toBeLessThan(MAX_TABLE_BYTES)
  })

  it('let go of what has expired, a little beside each entry, and count every byte back', () => {
    const log = new Log()
    for (let at = 0; at < 100; at++) log.open(`${at}`, at % 2 === 0 ? 10 : 100_000)
    log.time += 50
    for (let at = 0; at < 100; at++) log.command(1, { id: '1', openedAt: 2 })
    expect(log.table.size).toBe(50)
    log.time += 1_000_000
    for (let at = 0; at < 50; at++) log.command(1)
    expect([log.table.size, log.table.bytes]).toEqual([0, 0])
  })

  it('decide the same when the table went through a snapshot in between', () => {
    const [whole, restored] = [new Log(), new Log()]
    for (const log of [whole, restored]) {
      for (let at = 0; at < 20; at++) log.open(`${at}`, 10 * at)
      for (let at = 0; at < 5; at++) log.command(at + 1, { id: `${at}`, openedAt: at + 1 })
    }
    restored.table.replace(restored.table.capture())
    for (const log of [whole, restored]) log.time += 60
    const stepsOf = (log: Log) =>
      Array.from({ length: 20 }, (_, at) => log.command(3, { id: `${at}`, openedAt: at + 1 }))
    expect(stepsOf(restored)).toEqual(stepsOf(whole))
    expect(restored.table.capture()).toEqual(whole.table.capture())
  })
})
