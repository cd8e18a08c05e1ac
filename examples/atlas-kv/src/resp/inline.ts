// The words of an inline command, as somebody types them into a terminal: separated by spaces, with Redis's quotes and
// escapes. Bytes in, bytes out.

const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['b', 8],
  ['a', 7],
])

/** Null when a quote is not closed, or is closed within a word. */
export function splitInline(line: Buffer): Buffer[] | null {
  const text = line.toString('latin1')
  const words: Buffer[] = []
  let at = 0
  for (;;) {
    while (isSpace(text[at])) at += 1
    if (at >= text.length) return words
    const word = readWord(text, at)
    if (word === null) return null
    words.push(Buffer.from(word.bytes))
    at = word.end
  }
}

interface Word {
  readonly bytes: number[]
  readonly end: number
}

function readWord(text: string, start: number): Word | null {
  const bytes: number[] = []
  let at = start
  while (at < text.length && !isSpace(text[at])) {
    const char = text[at]
    if (char !== '"' && char !== "'") {
      bytes.push(text.charCodeAt(at))
      at += 1
      continue
    }
    const end = char === '"' ? readDouble(text, at + 1, bytes) : readSingle(text, at + 1, bytes)
    if (end < 0 || (end < text.length && !isSpace(text[end]))) return null
    return { bytes, end }
  }
  return { bytes, end: at }
}

/** @returns the position behind the closing quote, or -1 */
function readDouble(text: string, start: number, bytes: number[]): number {
  let at = start
  while (at < text.length) {
    const char = text[at]
    if (char === '"') return at + 1
    if (char !== '\\' || at + 1 >= text.length) {
      bytes.push(text.charCodeAt(at))
      at += 1
      continue
    }
    const hex = /^x([0-9a-fA-F]{2})/.exec(text.slice(at + 1, at + 4))
    const escaped = text[at + 1] ?? ''
    bytes.push(hex ? Number.parseInt(hex[1] ?? '', 16) : (ESCAPES.get(escaped) ?? escaped.charCodeAt(0)))
    at += hex ? 4 : 2
  }
  return -1
}

function readSingle(text: string, start: number, bytes: number[]): number {
  let at = start
  while (at < text.length) {
    if (text[at] === "'") return at + 1
    const isQuote = text[at] === '\\' && text[at + 1] === "'"
    if (isQuote) at += 1
    bytes.push(text.charCodeAt(at))
    at += 1
  }
  return -1
}

function isSpace(char: string | undefined): boolean {
  return char !== undefined && ' \t\n\v\f\r\0'.includes(char)
}
