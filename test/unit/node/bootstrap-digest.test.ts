import type { MemberSpec } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { bootstrapConfiguration } from '../../../src/core/configuration.js'
import { bootstrapDigest } from '../../../src/node/bootstrap-digest.js'

const list = (...ids: string[]): MemberSpec[] => ids.map((id) => ({ id, address: `${id}:1` }))
const digestOf = (...ids: string[]) => bootstrapDigest(bootstrapConfiguration(list(...ids)))

describe('bootstrapDigest', () => {
  test('is that of the sorted ids and suffrages, whatever the order and the addresses (F25)', () => {
    const digest = digestOf('a', 'b', 'c')
    expect(digest).toBe('bee82c135d990aed')
    expect(digestOf('c', 'a', 'b')).toBe(digest)
    expect(bootstrapDigest(bootstrapConfiguration([...list('a', 'b'), { id: 'c', address: '0.0.0.0:9' }]))).toBe(digest)
    expect(
      bootstrapDigest(bootstrapConfiguration([...list('a', 'b'), { id: 'c', address: 'c:1', suffrage: 'learner' }])),
    ).not.toBe(digest)
    expect(digestOf('a', 'b')).not.toBe(digest)
    expect(bootstrapDigest(null)).toBe('')
  })
})
