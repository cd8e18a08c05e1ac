import { MemoryNetwork, memoryStorage, type MemberSpec, type StoreIdentity } from 'helios-raft'
import type { Configuration } from 'helios-raft/core'
import { describe, expect, test } from 'vitest'
import { decodeHello, encodeHello, type Hello } from '../../../src/codec/hello.js'
import { bootstrapConfiguration } from '../../../src/core/configuration.js'
import { bootstrapDigest } from '../../../src/node/bootstrap-digest.js'
import { founderOf, Identity, identityAtStart, isStillFounding } from '../../../src/node/identity.js'
import { resolveOptions } from '../../../src/node/options.js'
import { Settings } from '../../../src/node/settings.js'

const list = (...ids: string[]): MemberSpec[] => ids.map((id) => ({ id, address: `${id}:1` }))
const digestOf = (...ids: string[]) => bootstrapDigest(bootstrapConfiguration(list(...ids)))
const options = (changes: object = {}) => {
  const stateMachine = { apply: () => undefined, async *snapshot() {}, restore: async () => undefined }
  const transport = new MemoryNetwork().transport('a')
  const resolved = resolveOptions({
    id: 'a',
    bootstrap: list('a', 'b'),
    ...memoryStorage(),
    transport,
    stateMachine,
    ...changes,
  })
  return { ...resolved, settings: new Settings(resolved) } as never
}

/** Voters with the stores that they were added with: `store-a` of `a`. */
const voters = (...ids: string[]): Configuration => ({
  members: ids.map((id) => ({ id, address: `${id}:1`, suffrage: 'voter', storeId: `store-${id}` })),
  votersOutgoing: [],
})
/** What the founder's log begins with. */
const alone = (founder: string, ...others: string[]): Configuration => ({
  members: [
    ...voters(founder).members,
    ...voters(...others).members.map((m) => ({ ...m, suffrage: 'learner' as const })),
  ],
  votersOutgoing: [],
})

/** Of a node that waits for its cluster to be founded, and will not found it. */
const waiting: StoreIdentity = {
  clusterId: 'blue',
  nonce: '',
  storeId: 'store-a',
  bootCount: 4,
  leasePromiseMs: 0,
  nodeId: 'a',
  bootstrapDigest: digestOf('a', 'b'),
}
/** Of the founder before it has founded. */
const founder: StoreIdentity = { ...waiting, nonce: 'offered' }
const founded: StoreIdentity = { ...waiting, nonce: 'first', bootstrapDigest: '' }

/** The hello of `b`, which waits with the list of all. */
const hello: Hello = {
  minVersion: 1,
  maxVersion: 1,
  clusterId: 'blue',
  nonce: '',
  nodeId: 'b',
  storeId: 'store-b',
  bootCount: 1,
  bootstrapDigest: digestOf('a', 'b'),
  maxMessageBytes: 8 * 1024 * 1024,
}
/** The hello of `b` as a member of the cluster that was founded first. */
const member: Hello = { ...hello, nonce: 'first', bootstrapDigest: '' }

function identityOf(
  identity: StoreIdentity,
  {
    inForce = null,
    ...changes
  }: { inForce?: Configuration | null; bootstrap?: readonly MemberSpec[] | undefined } = {},
) {
  return new Identity(options(changes), identity, () => inForce)
}
const hears = (own: Identity, said: Hello) => own.accept(encodeHello(said))
const refusal = (own: Identity, said: Hello) => {
  try {
    hears(own, said)
  } catch (error) {
    return error as { code: string; message: string }
  }
  return null
}

describe('founderOf', () => {
  test('is the voter with the smallest id, whatever the order, and never a learner (F25)', () => {
    expect(founderOf(voters('c', 'b', 'd'))).toBe('b')
    expect(founderOf(alone('c', 'a', 'b'))).toBe('c')
  })
})

describe('identityAtStart of an empty store', () => {
  const empty = { identity: null, configuration: null }

  test('makes a store id of its own, and counts the first boot', () => {
    const first = identityAtStart(options(), empty)
    expect(first).toMatchObject({ bootCount: 1, leasePromiseMs: 0, nodeId: 'a' })
    expect(first.storeId).toMatch(/^[0-9a-f]{32}$/)
    expect(first.storeId).not.toBe(identityAtStart(options(), empty).storeId)
  })

  test('offers a nonce only where it founds, and says by which list it waits until then', () => {
    const asFounder = identityAtStart(options(), empty)
    expect(asFounder).toMatchObject({ bootstrapDigest: digestOf('a', 'b'), clusterId: digestOf('a', 'b') })
    expect(asFounder.nonce).toMatch(/^[0-9a-f]{32}$/)
    expect(asFounder.nonce).not.toBe(asFounder.storeId)
    const asOther = identityAtStart(options({ id: 'b', bootstrap: list('b', 'a') }), empty)
    expect(asOther).toMatchObject({ nonce: '', bootstrapDigest: digestOf('a', 'b') })
    const asJoiner = identityAtStart(options({ bootstrap: undefined, clusterId: 'blue' }), empty)
    // It says no cluster before one has taken it.
    expect(asJoiner).toMatchObject({ nonce: '', bootstrapDigest: '', clusterId: '' })
    expect(identityAtStart(options({ clusterId: 'blue' }), empty).clusterId).toBe('blue')
  })

  test('takes another list as long as nothing has happened, and with it another founder', () => {
    const begun = { identity: { ...founder, clusterId: digestOf('a', 'b') }, configuration: null }
    const same = identityAtStart(options(), begun)
    expect(same).toEqual({ ...begun.identity, bootCount: 5 })
    const wider = identityAtStart(options({ bootstrap: list('a', 'b', 'c') }), begun)
    expect(wider).toMatchObject({ nonce: 'offered', bootstrapDigest: digestOf('a', 'b', 'c') })
    expect(wider).toMatchObject({ clusterId: digestOf('a', 'b', 'c'), storeId: 'store-a', bootCount: 5 })
    const bootstrap = [{ id: 'a', address: 'a:1', suffrage: 'learner' } as const, ...list('b')]
    expect(identityAtStart(options({ bootstrap }), begun).nonce).toBe('')
    const none = identityAtStart(options({ bootstrap: undefined }), begun)
    expect(none).toMatchObject({ nonce: '', bootstrapDigest: '', clusterId: '' })
    const late = { identity: { ...waiting, clusterId: '', bootstrapDigest: '' }, configuration: null }
    const joiner = identityAtStart(options({ clusterId: 'red' }), late)
    expect(joiner).toMatchObject({ clusterId: 'red', bootstrapDigest: digestOf('a', 'b') })
    expect(joiner.nonce).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('identityAtStart of a store that is used', () => {
  test('ignores every list, and none, once it knows its cluster, and says none either (F26)', () => {
    const adopted = { identity: founded, configuration: null }
    const grown = { identity: founded, configuration: voters('a', 'b') }
    for (const bootstrap of [list('a', 'b'), list('a', 'c'), list('a'), undefined]) {
      for (const stored of [adopted, grown]) {
        expect(identityAtStart(options({ bootstrap }), stored)).toEqual({ ...founded, bootCount: 5 })
      }
    }
  })

  test('forgets the digest where the list came into force and nobody was told any more', () => {
    const stored = { identity: founder, configuration: voters('a', 'b') }
    expect(identityAtStart(options(), stored)).toEqual({ ...founder, bootstrapDigest: '', bootCount: 5 })
    const joint: Configuration = { ...voters('a', 'b'), votersOutgoing: voters('a').members }
    expect(isStillFounding(founder, joint, bootstrapConfiguration(list('a', 'b')))).toBe(false)
  })

  test('in the middle of a founding goes on with its list, and refuses another one and none (H113)', () => {
    const stored = { identity: founder, configuration: alone('a', 'b') }
    expect(identityAtStart(options(), stored)).toEqual({ ...founder, bootCount: 5 })
    const moved = options({ bootstrap: [{ id: 'b', address: 'elsewhere:1' }, ...list('a')] })
    expect(identityAtStart(moved, stored).bootstrapDigest).toBe(digestOf('a', 'b'))
    expect(() => identityAtStart(options({ bootstrap: list('a', 'c') }), stored)).toThrow(
      new RegExp(`${digestOf('a', 'b')}.*${digestOf('a', 'c')}.*give the list that it began with`),
    )
    expect(() => identityAtStart(options({ bootstrap: undefined }), stored)).toThrow(/the options have none/)
  })

  test('founded all of its list where that names nobody else to vote', () => {
    const bootstrap: MemberSpec[] = [...list('a'), { id: 'b', address: 'b:1', suffrage: 'learner' }]
    const digest = bootstrapDigest(bootstrapConfiguration(bootstrap))
    const stored = { identity: { ...founder, bootstrapDigest: digest }, configuration: alone('a', 'b') }
    expect(identityAtStart(options({ bootstrap }), stored).bootstrapDigest).toBe('')
  })

  test('refuses the store of another node, whose votes it would forget or repeat (H19)', () => {
    const stored = { identity: { ...founded, nodeId: 'b' }, configuration: null }
    expect(() => identityAtStart(options(), stored)).toThrow(/the store belongs to node 'b' and the options say 'a'/)
    const nameless = { identity: { ...founded, nodeId: undefined }, configuration: null }
    expect(identityAtStart(options(), nameless).nodeId).toBe('a')
  })

  test('refuses another cluster, with both names (F26)', () => {
    const stored = { identity: founded, configuration: voters('a') }
    expect(() => identityAtStart(options({ clusterId: 'red' }), stored)).toThrow(/'blue'.*'red'/)
    expect(identityAtStart(options({ clusterId: 'blue' }), stored).clusterId).toBe('blue')
  })
})

describe('accept (H47, H49)', () => {
  const own = identityOf(waiting)

  test('takes a peer of the same cluster by its id, whether it is a member or not (F33)', () => {
    expect(hears(own, hello)).toBe('b')
    expect(hears(own, { ...hello, nodeId: 'stranger' })).toBe('stranger')
    expect(hears(own, { ...hello, clusterId: '', bootstrapDigest: '' })).toBe('b')
    expect(hears(own, { ...hello, maxVersion: 9 })).toBe('b')
  })

  test.each([
    ['another cluster', { clusterId: 'red' }, 'RAFT_IDENTITY', /'red'.*'blue'/],
    ['another bootstrap list (H113)', { bootstrapDigest: 'feed' }, 'RAFT_IDENTITY', /feed/],
    ['our own id', { nodeId: 'a' }, 'RAFT_IDENTITY', /id of its own/],
    ['our own store', { storeId: 'store-a' }, 'RAFT_IDENTITY', /copy/],
    ['a receive limit below our commands (F13, H124)', { maxMessageBytes: 1024 }, 'RAFT_IDENTITY', /1024.*1048704/],
    ['only later versions', { minVersion: 2, maxVersion: 3 }, 'RAFT_VERSION', /2 to 3/],
  ] as const)('refuses a peer with %s', (_what, changes, code, message) => {
    const refused = refusal(own, { ...hello, ...changes })
    expect(refused?.code).toBe(code)
    expect(refused?.message).toMatch(message)
  })

  test('refuses what is no hello', () => {
    expect(() => own.accept(new Uint8Array(20))).toThrow(expect.objectContaining({ code: 'RAFT_CORRUPTION' }))
  })

  test('without a cluster takes who names the one that the options expect, and nobody else', () => {
    const joiner = new Identity(
      options({ bootstrap: undefined, clusterId: 'blue' }),
      { ...waiting, clusterId: '', bootstrapDigest: '' },
      () => null,
    )
    expect(hears(joiner, member)).toBe('b')
    expect(refusal(joiner, { ...member, clusterId: 'red' })?.message).toMatch(/'red' and 'a' to 'blue'/)
  })

  test('says of itself what its store holds, in bytes that a transport may scribble on', () => {
    own.hello.fill(0)
    expect(decodeHello(own.hello)).toMatchObject({ ...hello, nodeId: 'a', storeId: 'store-a', bootCount: 4 })
  })
})

describe('accept, of foundings and stores (F25)', () => {
  test('refuses a member of another founding of the cluster, with both nonces (H120)', () => {
    const refused = refusal(identityOf(founded), { ...member, nonce: 'second' })
    expect(refused?.code).toBe('RAFT_IDENTITY')
    expect(refused?.message).toMatch(/founding 'second' of cluster 'blue' and 'a' to 'first'.*must be wiped/)
  })

  test('does not mind what a founder offers who has not founded anything', () => {
    const own = identityOf(founded)
    expect(hears(own, { ...hello, nonce: 'its own' })).toBe('b')
    expect(hears(identityOf(founder), member)).toBe('b')
  })

  test('refuses a wiped member, also with the list in its options, and takes the one whose store it is (H19, H112)', () => {
    const own = identityOf(founded, { inForce: voters('a', 'b') })
    for (const empty of [hello, { ...hello, nonce: 'offered' }, { ...hello, bootstrapDigest: '', clusterId: '' }]) {
      const refused = refusal(own, { ...empty, storeId: 'wiped' })
      expect(refused?.code).toBe('RAFT_IDENTITY')
      expect(refused?.message).toMatch(/'b' was added with store 'store-b' .* 'wiped'.* remove 'b' .* add it again/)
      expect(hears(own, empty)).toBe('b')
    }
    // Who is no member, or not bound to a store yet, may come with any.
    expect(hears(own, { ...hello, nodeId: 'c', storeId: 'any' })).toBe('c')
    const unbound = identityOf(founded, { inForce: bootstrapConfiguration(list('a', 'b')) })
    expect(hears(unbound, { ...hello, storeId: 'any' })).toBe('b')
  })

  test('hears a member of its own founding that has another store: that may have been added since (F33, H122)', () => {
    const own = identityOf(founded, { inForce: voters('a', 'b') })
    expect(hears(own, { ...member, storeId: 'new' })).toBe('b')
    expect(own.hasOtherStore('b')).toBe(true)
    expect(hears(own, member)).toBe('b')
    expect(own.hasOtherStore('b')).toBe(false)
    expect(own.hasOtherStore('never heard')).toBe(false)
    hears(own, { ...member, nodeId: 'c', storeId: 'any' })
    expect(own.hasOtherStore('c')).toBe(false)
  })

  test('refuses the store that a member had before, once the one that took its place was heard', () => {
    const [older, newer] = ['00000000000aold', '00000000000bnew']
    const inForce = {
      ...voters('a', 'b'),
      members: [{ id: 'b', address: 'b:1', suffrage: 'voter', storeId: newer }],
    } as const
    const own = identityOf(founded, { inForce })
    expect(hears(own, { ...member, storeId: newer })).toBe('b')
    expect(refusal(own, { ...member, storeId: older })?.message).toMatch(/older than that of the member/)
    expect(own.hasOtherStore('b')).toBe(false)
    // Whose configuration is older hears the newer one, which may be its leader (H122).
    const behind = { ...inForce, members: [{ ...inForce.members[0], storeId: older }] }
    const late = identityOf(founded, { inForce: behind })
    expect(hears(late, { ...member, storeId: older })).toBe('b')
    expect(hears(late, { ...member, storeId: newer })).toBe('b')
  })

  test('belongs to the founding that it is making: another one gives it no orders', () => {
    const alone = identityOf(founder, { inForce: voters('a') })
    expect(refusal(alone, { ...member, nonce: 'another' })?.code).toBe('RAFT_IDENTITY')
  })

  test('refuses a peer whose boot counter went back, and takes it with a new store (H19)', () => {
    const own = identityOf(founded)
    hears(own, { ...member, bootCount: 7 })
    expect(hears(own, { ...member, bootCount: 7 })).toBe('b')
    expect(refusal(own, { ...member, bootCount: 6 })?.message).toMatch(/has started 6 times .* after 7 starts/)
    // What was refused was not heard.
    expect(own.heardOf('b')?.bootCount).toBe(7)
    expect(hears(own, { ...member, bootCount: 1, storeId: 'new' })).toBe('b')
  })
})

describe('adoptFrom', () => {
  const bootstrap = list('c', 'b', '0')
  const digest = digestOf('c', 'b', '0')
  const listed = () => identityOf({ ...waiting, bootstrapDigest: digest }, { bootstrap: [...bootstrap, ...list('a')] })
  const said = (changes: Partial<Hello>): Hello => ({ ...hello, bootstrapDigest: digest, ...changes })

  test('takes the cluster of a leader that belongs to it, and says so from now on', () => {
    const own = identityOf({ ...waiting, clusterId: '', bootstrapDigest: '' }, { bootstrap: undefined })
    hears(own, member)
    expect(own.isFounded).toBe(false)
    expect(own.adoptFrom('b')).toEqual({ ...waiting, nonce: 'first', bootstrapDigest: '' })
    expect(own.isFounded).toBe(true)
    expect(own.clusterId).toBe('blue')
    expect(decodeHello(own.hello)).toMatchObject({ clusterId: 'blue', nonce: 'first', bootstrapDigest: '' })
  })

  test('takes the nonce that the founder offered when it was heard with an empty store', () => {
    const own = listed()
    hears(own, said({ nodeId: '0', storeId: 'store-0', nonce: 'offered' }))
    expect(own.isFounded).toBe(false)
    expect(own.adoptFrom('0')?.nonce).toBe('offered')
  })

  test('takes the founder’s offer where the leader was heard before it had a cluster itself', () => {
    const own = listed()
    hears(own, said({}))
    hears(own, said({ nodeId: '0', storeId: 'store-0', nonce: 'offered' }))
    expect(own.adoptFrom('b')?.nonce).toBe('offered')
  })

  test('takes nothing from who has not said which cluster it leads', () => {
    const own = listed()
    expect(own.adoptFrom('b')).toBeNull()
    hears(own, said({}))
    expect(own.adoptFrom('b')).toBeNull()
    expect(own.isFounded).toBe(false)
    expect(decodeHello(own.hello).nonce).toBe('')
  })
})

describe('isStranger', () => {
  test('is who was heard before this node had a cluster, and belongs to another one', () => {
    const own = identityOf({ ...waiting, clusterId: '', bootstrapDigest: '' }, { bootstrap: undefined })
    hears(own, { ...member, nodeId: 'red', storeId: 'store-red', clusterId: 'red' })
    hears(own, { ...member, nodeId: 'late', storeId: 'store-late', nonce: 'second' })
    hears(own, member)
    expect(['red', 'late', 'b', 'never heard'].filter((id) => own.isStranger(id, false))).toEqual([])
    own.adoptFrom('b')
    expect(['red', 'late', 'b', 'never heard'].filter((id) => own.isStranger(id, false))).toEqual(['red', 'late'])
  })
})

describe('isStranger, of who offers a founding of its own (H49)', () => {
  const offers = { ...hello, nonce: 'its own', storeId: 'store-b' }

  test('is a stranger to a member of another founding: it may lead its own by now', () => {
    const own = identityOf(founded, { inForce: voters('a') })
    hears(own, offers)
    expect(own.isStranger('b', false)).toBe(true)
  })

  test('is none where it was added here with that store, nor to who has no cluster, nor to who took its offer', () => {
    const member = identityOf(founded, { inForce: voters('a', 'b') })
    hears(member, offers)
    expect(member.isStranger('b', false)).toBe(false)
    const waits = identityOf(waiting)
    hears(waits, offers)
    expect(waits.isStranger('b', false)).toBe(false)
    expect(waits.adoptFrom('b')?.nonce).toBe('its own')
    expect(waits.isStranger('b', false)).toBe(false)
  })
})

describe('founded', () => {
  test('makes what the founder offered the founding that it belongs to', () => {
    const own = identityOf(founder)
    expect(own.isFounded).toBe(false)
    expect(own.founded()).toEqual({ ...founder, bootstrapDigest: '' })
    expect(own.isFounded).toBe(true)
    expect(refusal(own, { ...member, nonce: 'second' })?.code).toBe('RAFT_IDENTITY')
  })
})

describe('heardOf', () => {
  test('remembers 1024 peers and forgets the one that was silent longest', () => {
    const own = identityOf(founded)
    const hear = (number: number) => hears(own, { ...member, nodeId: `n${number}`, storeId: `store-${number}` })
    for (let number = 1; number <= 1_023; number++) hear(number)
    expect(own.heardOf('n1')).toMatchObject({ storeId: 'store-1', nonce: 'first' })
    hear(1_024)
    expect(own.heardOf('n1')).not.toBeNull()
    hear(1)
    hear(1_025)
    expect(own.heardOf('n1')).not.toBeNull()
    expect(own.heardOf('n2')).toBeNull()
    expect(own.heardOf('n1025')).not.toBeNull()
  })
})
