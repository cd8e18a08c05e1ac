// How a node came into its cluster, on disk.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFounding, writeFounding } from '../../../examples/atlas-kv/src/server/founding-record.js'

describe('the founding record', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'atlas-test-'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('holds the founders, or that the node joined, and nothing before', async () => {
    expect(readFounding(directory)).toBeUndefined()
    expect(readFounding(join(directory, 'nowhere'))).toBeUndefined()
    const founders = [{ id: 'node-1', address: '127.0.0.1:7000' }]
    await writeFounding(directory, founders)
    expect(readFounding(directory)).toEqual(founders)
    await writeFounding(directory, null)
    expect(readFounding(directory)).toBeNull()
  })

  it.each(['', '[]', '{}', '{"founders":[{"id":1}]}', '{"founders":{}}'])('refuses to guess what %j means', (text) => {
    writeFileSync(join(directory, 'founding.json'), text)
    expect(() => readFounding(directory)).toThrow(
      /founding\.json.*remove it, and start with the flags of the first start/,
    )
  })
})
