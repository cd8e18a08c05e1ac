import { MemoryNetwork, memoryStorage, type MemberSpec, type StoreIdentity } from 'helios-raft'
import { describe, expect, test } from 'vitest'
import { decodeHello, encodeHello, type Hello } from '../../../src/codec/hello.js'
import { bootstrapConfiguration } from '../../../src/core/configuration.js'
import { bootstrapDigest } from '../../../src/node/bootstrap-digest.js'
import { Identity, identityAtStart } from '../../../src/node/identity.js'
import { resolveOptions } from '../../../src/node/options.js'

const list = (...ids: string[]): MemberSpec[] => ids.map((id) => ({ id, address: `${id}:1` }))
const options = (changes: object = {}) => {
  const stateMachine = { apply: () => undefined, async *snapshot() {}, restore: async () => undefined }
  const transport = new MemoryNetwork().transport('a')
  return resolveOptions({
    id: 'a',
    bootstrap: list('a', 'b'),
    ...memoryStorage(),
    transport,
    stateMachine,
    ...changes,
  }) as never
}
const stored: StoreIdentity = {
  clusterId: 'blue',
  nonce: '',
  storeId: 'store-a',
  bootCount: 4,
  leasePromiseMs: 0,
  nodeId: 'a',
  bootstrapDigest: bootstrapDigest(bootstrapConfiguration(list('a', 'b'))),
}

describe('bootstrapDigest', () => {
  test('is that of the sorted ids and suffrages, whatever the order and the addresses (F25)', () => {
    const digest = bootstrapDigest(bootstrapConfiguration(list('a', 'b', 'c')))
    expect(digest).toBe('bee82c135d990aed')
    expect(bootstrapDigest(bootstrapConfiguration(list('c', 'a', 'b')))).toBe(digest)
    expect(bootstrapDigest(bootstrapConfiguration([...list('a', 'b'), { id: 'c', address: '0.0.0.0:9' }]))).toBe(digest)
    expect(
      bootstrapDigest(bootstrapConfiguration([...list('a', 'b'), { id: 'c', address: 'c:1', suffrage: 'learner' }])),
    ).not.toBe(digest)
    expect(bootstrapDigest(bootstrapConfiguration(list('a', 'b')))).not.toBe(digest)
    expect(bootstrapDigest(null)).toBe('')
  })
})

describe('a store whose cluster has a founding', () => {
  const founded: StoreIdentity = { ...stored, nonce: 'first', bootstrapDigest: '' }
  const hello = (identity: StoreIdentity, id: string) =>
    new Identity(options({ id, bootstrap: undefined }), { ...identity, storeId: `store-${id}` }).hello

  test('starts with any bootstrap list, and with none, and says neither', () => {
    for (const bootstrap of [list('a', 'b'), list('a'), undefined]) {
      const identity = identityAtStart(options({ bootstrap }), { identity: founded, isUsed: true })
      expect(identity).toEqual({ ...founded, bootCount: 5 })
    }
  })

  test('refuses who was started with a list, and takes who was not', () => {
    const own = new Identity(options({ bootstrap: undefined }), founded)
    const old = { ...stored, nodeId: 'b' }
    expect(() => own.accept(hello(old, 'b'))).toThrow(/was started with a bootstrap list .* wipe it/)
    expect(() => own.accept(hello({ ...old, bootstrapDigest: '' }, 'b'))).toThrow(/is a member from before that/)
    expect(own.accept(hello({ ...old, bootstrapDigest: '', clusterId: '' }, 'b'))).toBe('b')
    const before = new Identity(options(), stored)
    expect(() => before.accept(hello({ ...founded, nodeId: 'b' }, 'b'))).toThrow(/'a' is from before that/)
    expect(own.accept(hello({ ...founded, nodeId: 'b' }, 'b'))).toBe('b')
  })
})

describe('identityAtStart', () => {
  test('makes a store id of its own for a new store, and counts the first boot', () => {
    const first = identityAtStart(options(), { identity: null, isUsed: false })
    const second = identityAtStart(options(), { identity: null, isUsed: false })
    expect(first).toMatchObject({ bootCount: 1, nonce: '', leasePromiseMs: 0, clusterId: stored.bootstrapDigest })
    expect(first.storeId).toMatch(/^[0-9a-f]{32}$/)
    expect(first.storeId).not.toBe(second.storeId)
  })

  test('keeps what is stored and counts one boot more', () => {
    expect(identityAtStart(options(), { identity: stored, isUsed: true })).toEqual({ ...stored, bootCount: 5 })
    expect(identityAtStart(options({ clusterId: 'blue' }), { identity: stored, isUsed: true }).clusterId).toBe('blue')
  })

  test('refuses the store of another node, whose votes it would forget or repeat (H19)', () => {
    expect(() => identityAtStart(options(), { identity: { ...stored, nodeId: 'b' }, isUsed: true })).toThrow(
      /the store belongs to node 'b' and the options say 'a'/,
    )
    const nameless = { ...stored, nodeId: undefined }
    expect(identityAtStart(options(), { identity: nameless, isUsed: true }).nodeId).toBe('a')
  })

  test('takes a first list and a first cluster id into a store that was never used', () => {
    const waiting = { ...stored, clusterId: '', bootstrapDigest: '' }
    expect(identityAtStart(options({ clusterId: 'red' }), { identity: waiting, isUsed: false })).toMatchObject({
      clusterId: 'red',
      bootstrapDigest: stored.bootstrapDigest,
    })
    expect(() => identityAtStart(options(), { identity: waiting, isUsed: true })).toThrow(/without a bootstrap list/)
  })

  test('refuses another cluster, another list and a missing list, with both values', () => {
    const used = { identity: stored, isUsed: true }
    expect(() => identityAtStart(options({ clusterId: 'red' }), used)).toThrow(/'blue'.*'red'/)
    const digest = bootstrapDigest(bootstrapConfiguration(list('a', 'c')))
    expect(() => identityAtStart(options({ bootstrap: list('a', 'c') }), used)).toThrow(
      new RegExp(`${stored.bootstrapDigest}.*${digest}`),
    )
    expect(() => identityAtStart(options({ bootstrap: undefined }), used)).toThrow(/the options have none/)
  })
})

describe('accept (H47, H49)', () => {
  const own = new Identity(options(), stored)
  const hello: Hello = {
    minVersion: 1,
    maxVersion: 1,
    clusterId: 'blue',
    nonce: '',
    nodeId: 'b',
    storeId: 'store-b',
    bootCount: 1,
    bootstrapDigest: stored.bootstrapDigest ?? '',
    maxMessageBytes: 8 * 1024 * 1024,
  }
  const accept = (changes: Partial<Hello>) => () => own.accept(encodeHello({ ...hello, ...changes }))

  test('takes a peer of the same cluster by its id, whether it is a member or not (F33)', () => {
    expect(accept({})()).toBe('b')
    expect(accept({ nodeId: 'stranger' })()).toBe('stranger')
    expect(accept({ clusterId: '', bootstrapDigest: '' })()).toBe('b')
    expect(accept({ maxVersion: 9 })()).toBe('b')
  })

  test.each([
    ['another cluster', { clusterId: 'red' }, 'RAFT_IDENTITY', /'red'.*'blue'/],
    ['another bootstrap list (H113)', { bootstrapDigest: 'feed' }, 'RAFT_IDENTITY', /feed/],
    ['our own id', { nodeId: 'a' }, 'RAFT_IDENTITY', /id of its own/],
    ['our own store', { storeId: 'store-a' }, 'RAFT_IDENTITY', /copy/],
    ['a receive limit below our commands (F13, H124)', { maxMessageBytes: 1024 }, 'RAFT_IDENTITY', /1024.*1048704/],
    ['only later versions', { minVersion: 2, maxVersion: 3 }, 'RAFT_VERSION', /2 to 3/],
  ] as const)('refuses a peer with %s', (_what, changes, code, message) => {
    expect(accept(changes)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    )
  })

  test('refuses what is no hello', () => {
    expect(() => own.accept(new Uint8Array(20))).toThrow(expect.objectContaining({ code: 'RAFT_CORRUPTION' }))
  })

  test('says of itself what its store holds, in bytes that a transport may scribble on', () => {
    own.hello.fill(0)
    expect(decodeHello(own.hello)).toMatchObject({ ...hello, nodeId: 'a', storeId: 'store-a', bootCount: 4 })
  })
})
