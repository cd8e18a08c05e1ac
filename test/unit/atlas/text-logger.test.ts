// Log lines: one event, one line, whatever the values are.
import { describe, expect, it } from 'vitest'
import { type LogLevel, textLogger } from '../../../examples/atlas-kv/src/log/text-logger.js'

function lines(level: LogLevel, log: (logger: ReturnType<typeof textLogger>) => void): string[] {
  const written: string[] = []
  const now = (): Date => new Date(2026, 0, 15, 10, 0, 0)
  log(textLogger({ level, now, write: (line) => written.push(line) }))
  return written
}

describe('textLogger', () => {
  it('writes time, level, source, message and fields', () => {
    expect(
      lines('info', (logger) => logger.info({ peer: 'node-2', matchIndex: 7, none: undefined }, 'Peer recovered')),
    ).toEqual(['2026/01/15 10:00:00 [INFO] raft: Peer recovered peer=node-2 matchIndex=7\n'])
  })

  it('leaves out what is below its level', () => {
    const written = lines('warn', (logger) => {
      logger.debug({}, 'a')
      logger.info({}, 'b')
      logger.warn({}, 'c')
      logger.error({}, 'd')
    })
    expect(written.map((line) => line.slice(20))).toEqual(['[WARN] raft: c\n', '[ERROR] raft: d\n'])
  })

  it('keeps forged lines and terminal escapes out', () => {
    const [line] = lines('info', (logger) =>
      logger.info({ a: 'x\n2026/01/15 [INFO] forged', b: '\u001b[31m', c: 'say "hi"', d: '' }, 'two\r\nlines'),
    )
    expect(line?.slice(20)).toBe(
      '[INFO] raft: two\\r\\nlines a="x\\n2026/01/15 [INFO] forged" b=\\u001b[31m c="say \\"hi\\"" d=""\n',
    )
  })

  it('never throws, whatever it is given', () => {
    const cycle: Record<string, unknown> = { n: 1n }
    cycle['self'] = cycle
    const [line] = lines('info', (logger) => logger.info({ cycle, error: new Error('no\nluck') }, 'm'))
    expect(line).toContain('cycle=[object] error="no\\nluck"')
  })
})
