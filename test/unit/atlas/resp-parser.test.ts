// Commands out of bytes that may be cut anywhere, and the limits of security.md §6 (H91, H92).
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError, RespParser, type ParserLimits } from '../../../examples/atlas-kv/src/resp/parser.js'

function parseAll(chunks: readonly Buffer[], limits: Partial<ParserLimits> = {}): string[][] {
  const parser = new RespParser(limits)
  const commands: string[][] = []
  for (const chunk of chunks) {
    parser.push(chunk)
    for (let args = parser.next(); args !== null; args = parser.next()) {
      commands.push(args.map((arg) => arg.toString('latin1')))
    }
  }
  return commands
}

const parse = (text: string, limits: Partial<ParserLimits> = {}): string[][] =>
  parseAll([Buffer.from(text, 'latin1')], limits)

function encode(command: readonly Uint8Array[]): Buffer {
  const parts = command.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n')])
  return Buffer.concat([Buffer.from(`*${command.length}\r\n`), ...parts])
}

const arbCommands = fc.array(fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 5 }), {
  maxLength: 6,
})

describe('RespParser', () => {
  it('finds the same commands wherever the stream is cut', () => {
    fc.assert(
      fc.property(arbCommands, fc.array(fc.nat(400)), (commands, cuts) => {
        const stream = Buffer.concat(commands.map(encode))
        const ends = [...new Set([...cuts.filter((cut) => cut < stream.length), stream.length])].sort((a, b) => a - b)
        const chunks = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end))
        const expected = commands.map((command) => command.map((arg) => Buffer.from(arg).toString('latin1')))
        expect(parseAll(chunks)).toEqual(expected)
        expect(parseAll(Array.from(stream, (byte) => Buffer.of(byte)))).toEqual(expected)
      }),
    )
  })

  it('reads inline commands with quotes and escapes, cut at every position', () => {
    const line = `SET  "a b" 'it\\'s' "\\x41\\n\\"" plain\r\n\r\nPING\n`
    const expected = [['SET', 'a b', "it's", 'A\n"', 'plain'], ['PING']]
    for (let cut = 0; cut <= line.length; cut++) {
      expect(parseAll([Buffer.from(line.slice(0, cut)), Buffer.from(line.slice(cut))])).toEqual(expected)
    }
  })

  it('skips empty commands', () => {
    expect(parse('*0\r\n*-1\r\n\r\n*1\r\n$4\r\nPING\r\n')).toEqual([['PING']])
  })

  it.each([
    ['*+1\r\n', 'invalid multibulk length'],
    ['*01\r\n', 'invalid multibulk length'],
    ['*x\r\n', 'invalid multibulk length'],
    ['*-2\r\n', 'invalid multibulk length'],
    ['*1\r\n$+5\r\n', 'invalid bulk length'],
    ['*1\r\n$05\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$1234567890\r\n', 'too big bulk count string'],
    ['*1234567890\r\n', 'too big mbulk count string'],
    ['*1\r\n*1\r\n', "expected '$', got '*'"],
    ['*1\r\n:1\r\n', "expected '$', got ':'"],
    ['*1\r\n$1\r\nab\r\n', 'a bulk string does not end where its length says'],
    ['*1\rx', 'a line ends with CR but no LF'],
    ['SET "a\r\n', 'unbalanced quotes in request'],
    ['SET "a"b\r\n', 'unbalanced quotes in request'],
    ['POST / HTTP/1.1\r\n', 'this port speaks RESP, not HTTP'],
    ['GET / HTTP/1.1\r\n', 'this port speaks RESP, not HTTP'],
    ['Host: example.org\r\n', 'this port speaks RESP, not HTTP'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(new ProtocolError(message))
  })

  it('takes each limit and refuses one more', () => {
    const limits = { argumentCount: 3, bulkBytes: 4, argumentBytes: 6, inlineBytes: 8 }
    const array = (...args: string[]): string => encode(args.map((arg) => Buffer.from(arg))).toString()
    expect(parse(array('a', 'b', 'c'), limits)).toHaveLength(1)
    expect(() => parse(array('a', 'b', 'c', 'd'), limits)).toThrow('invalid multibulk length')
    expect(parse(array('aaaa'), limits)).toHaveLength(1)
    expect(() => parse('*1\r\n$5\r\n', limits)).toThrow('invalid bulk length')
    expect(parse(array('aaaa', 'bb'), limits)).toHaveLength(1)
    expect(() => parse('*2\r\n$4\r\naaaa\r\n$3\r\n', limits)).toThrow('larger than 6 bytes')
    expect(parse('aaaaaaaa\n', limits)).toHaveLength(1)
    expect(() => parse('aaaaaaaaa', limits)).toThrow('too big inline request')
  })

  it('holds only what came, whatever length was announced (H91)', () => {
    const parser = new RespParser()
    parser.push(Buffer.from('*1024\r\n$1048576\r\nx'))
    expect(parser.next()).toBeNull()
    expect(parser.waitingBytes).toBe(0)
  })
})
