// Who this node is, and whom it talks to (F25, F26): the identity that its store holds or begins with, the hello that
// says it, and the checks of a peer's hello before any message is taken (H47, H49, H113).
import { decodeHello, encodeHello, type Hello } from '../codec/hello.js'
import { isSameMembers, votersOf } from '../core/membership-change.js'
import { findMember } from '../core/configuration.js'
import type { Configuration, NodeId } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { StoreIdentity } from '../interfaces/log-store.js'
import { bootstrapDigest } from './bootstrap-digest.js'
import { excessOf } from './message-capacity.js'
import { NODE_RULES, type NodeRules } from './node-rules.js'
import type { FixedOptions, SettingValues } from './options.js'
import { madeAt, makeStoreId, randomId } from './store-id.js'

/** Versions of the wire format that this version of the library speaks. */
export const PROTOCOL_VERSIONS: { readonly min: number; readonly max: number } = Object.freeze({ min: 1, max: 1 })

/** What `identityAtStart` needs of what the store held. */
export interface StoredIdentity {
  readonly identity: StoreIdentity | null
  /** In force, by snapshot and log; null for a store that is no member's yet. */
  readonly configuration: Configuration | null
}

/** The one that founds the cluster, when all are there: of the voters that are listed, the one with the smallest id (F25). */
export function founderOf({ members }: Pick<Configuration, 'members'>): NodeId {
  return votersOf(members).toSorted()[0] ?? ''
}

/**
 * Whether the founder has still to bring in those that are listed: it is alone, and was never told that the list is in force.
 */
export function isStillFounding(
  { bootstrapDigest: digest, nodeId }: StoreIdentity,
  configuration: Configuration | null,
  list: Configuration | null,
): boolean {
  if (digest === '' || digest === undefined || configuration === null) return false
  const { members, votersOutgoing } = configuration
  const voters = votersOf(members)
  if (voters.length !== 1 || voters[0] !== nodeId || votersOutgoing.length > 0) return false
  return bootstrapDigest(list) !== digest || list === null || !isSameMembers(members, list.members)
}

/**
 * The identity of this boot: the stored one, or a new one, with the boot counter raised. A store that knows its cluster has
 * no digest of a bootstrap list any more, and no list changes that (F26).
 * @throws RaftError RAFT_IDENTITY when the options name another cluster than the store, or not the list that it is founding
 */
export function identityAtStart(
  options: FixedOptions,
  { identity, configuration }: StoredIdentity,
  makeId: () => string = randomId,
): StoreIdentity {
  const { id: nodeId, bootstrap, clusterId: given } = options
  const digest = bootstrapDigest(bootstrap)
  // A joiner says no cluster before it has one: the one in its options is what it expects of others.
  const clusterId = bootstrap === null ? '' : (given ?? digest)
  const isFounder = bootstrap !== null && founderOf(bootstrap) === nodeId
  if (identity === null) {
    const storeId = makeStoreId(options.clock.wallTime(), makeId())
    const begins = { clusterId, nonce: isFounder ? makeId() : '', storeId, bootCount: 1, leasePromiseMs: 0 }
    return { ...begins, nodeId, bootstrapDigest: digest }
  }
  checkOwner(identity, options)
  const bootCount = identity.bootCount + 1
  const storedDigest = identity.bootstrapDigest ?? ''
  if (isStillFounding(identity, configuration, bootstrap)) {
    if (digest !== storedDigest) throw bootstrapError(options, storedDigest, digest)
    return { ...identity, nodeId, bootCount }
  }
  const isFounded = configuration !== null || nonceOf(identity) !== ''
  if (isFounded) return { ...identity, nodeId, bootCount, bootstrapDigest: '' }
  // Nothing has happened yet: another list may still be given, and another member may be the founder by it.
  const nonce = isFounder ? identity.nonce || makeId() : ''
  return { ...identity, nodeId, clusterId, nonce, bootCount, bootstrapDigest: digest }
}

function checkOwner(identity: StoreIdentity, { id, clusterId }: FixedOptions): void {
  // Its votes are another's: two directories swapped would let one id vote twice in a term (H19).
  if (identity.nodeId !== undefined && identity.nodeId !== id) {
    throw identityError(
      `the store belongs to node '${identity.nodeId}' and the options say '${id}': use the directory of '${identity.nodeId}'`,
    )
  }
  if (clusterId === null || identity.clusterId === '' || clusterId === identity.clusterId) return
  throw identityError(
    `the store of '${id}' belongs to cluster '${identity.clusterId}' and the options say '${clusterId}': ` +
      'use the right directory, or leave clusterId out',
  )
}

/** What a node has heard of a peer, by its newest hello. */
export interface Heard {
  readonly clusterId: string
  /** Of the founding that it belongs to; '' for none. */
  readonly nonce: string
  /** Under which it will found the cluster; '' for who will not. */
  readonly offeredNonce: string
  /** It was started with a bootstrap list, and belongs to no founding yet. */
  readonly hasList: boolean
  readonly storeId: string
  readonly bootCount: number
  /** The largest message that it takes. */
  readonly maxMessageBytes: number
}

/** Peers that a node remembers; the oldest is forgotten beyond them. More than a cluster has members. */
const MAX_REMEMBERED_PEERS = 1_024

/** Of the node that it is the identity of. */
export interface IdentityOptions extends FixedOptions {
  readonly settings: Pick<SettingValues, 'limits'>
}

/** The hello of a node and its judgement of others'. */
export class Identity {
  readonly #options: IdentityOptions
  readonly #configuration: () => Configuration | null
  readonly #rules: NodeRules
  #identity: StoreIdentity
  #hello: Uint8Array<ArrayBuffer>
  readonly #heard = new Map<NodeId, Heard>()

  /** @param configuration - in force, whenever it is asked */
  constructor(
    options: IdentityOptions,
    identity: StoreIdentity,
    configuration: () => Configuration | null,
    rules: NodeRules = NODE_RULES,
  ) {
    this.#rules = rules
    this.#options = options
    this.#configuration = configuration
    this.#identity = identity
    this.#hello = helloOf(options, identity)
  }

  /** It belongs to a founding, and no other one can ever be adopted. */
  get isFounded(): boolean {
    return nonceOf(this.#identity) !== ''
  }

  /** Of the founding that it belongs to, or is making: a founder keeps its list until that is in force. */
  get #ownNonce(): string {
    return this.#configuration() === null ? nonceOf(this.#identity) : this.#identity.nonce
  }

  /** Peers that belong to a founding of this cluster, whether they are listed or not. */
  get foundedPeers(): readonly NodeId[] {
    const belongs = ({ clusterId, nonce }: Heard): boolean =>
      clusterId === this.#identity.clusterId && !this.#rules.isEmptyStore(nonce)
    return [...this.#heard].filter(([, each]) => belongs(each)).map(([id]) => id)
  }

  /** What the newest hello of that peer said; null for none. */
  heardOf(peer: NodeId): Heard | null {
    return this.#heard.get(peer) ?? null
  }

  /** The cluster that this node founded holds its first members: what is to be stored from now on. */
  founded(): StoreIdentity {
    return this.#become({ bootstrapDigest: '' })
  }

  /** This voter is about to promise a lease of that length: what is to be stored before it does (F20). */
  promised(leasePromiseMs: number): StoreIdentity {
    return this.#become({ leasePromiseMs })
  }

  /**
   * A node without a cluster belongs to that of the leader which speaks to it: its identity from now on, to be made durable
   * before anything is acknowledged. Null where the leader has not said which that is.
   */
  adoptFrom(leader: NodeId): StoreIdentity | null {
    const said = this.#heard.get(leader)
    if (said === undefined) return null
    const nonce = said.nonce || this.#nonceUnderWay(said)
    return nonce === '' ? null : this.#become({ clusterId: said.clusterId, nonce, bootstrapDigest: '' })
  }

  /**
   * Of a leader that belonged to no founding when it was heard. Where somebody else did, it belongs to that by now: a founder
   * whose disk was lost offers one that it will never make. Else it makes what it offered, or what the founder did.
   */
  #nonceUnderWay({ clusterId, offeredNonce }: Heard): string {
    const made = new Set<string>()
    for (const each of this.#heard.values()) if (each.nonce !== '' && each.clusterId === clusterId) made.add(each.nonce)
    const [known = ''] = made
    if (made.size > 0) return made.size === 1 ? known : ''
    const { bootstrap } = this.#options
    const founder = bootstrap === null ? undefined : this.#heard.get(founderOf(bootstrap))
    return offeredNonce || founder?.offeredNonce || ''
  }

  /**
   * Whether the peer, whose connection is from before one of the two had a cluster, belongs to another one. Who offered a founding
   * of its own may be making that by now: it leads another cluster, of the same name, unless it is the member that we know (H49).
   */
  isStranger(peer: NodeId, isAnswer: boolean): boolean {
    const said = this.#heard.get(peer)
    if (said === undefined) return false
    const [own, { clusterId }] = [this.#ownNonce, this.#identity]
    if (differ(said.clusterId, clusterId) || differ(said.nonce, own)) return true
    // Nobody else answers in the session of a member that was added; by its answer we learn its store.
    return (
      !isAnswer && differ(said.offeredNonce, own) && findMember(this.#configuration(), peer)?.storeId !== said.storeId
    )
  }

  /**
   * Whether the peer has another store than the member of that name in the configuration in force. One that was taken out and
   * added again does, to who has an older configuration; so does the old one, should it ever come back. What it says may be
   * heard, but its votes and acknowledgements are not the member's (F33).
   */
  hasOtherStore(peer: NodeId): boolean {
    const [expected, said] = [findMember(this.#configuration(), peer)?.storeId, this.#heard.get(peer)]
    return expected !== undefined && said !== undefined && !this.#rules.isMembersStore(expected, said.storeId)
  }

  get clusterId(): string {
    return this.#identity.clusterId
  }

  get storeId(): string {
    return this.#identity.storeId
  }

  /** A copy: a transport may do with it what it likes. */
  get hello(): Uint8Array<ArrayBuffer> {
    return this.#hello.slice()
  }

  /** Who a peer is. @throws RaftError RAFT_IDENTITY, RAFT_VERSION or RAFT_CORRUPTION when nothing of it may be believed */
  accept(bytes: Uint8Array): NodeId {
    const peer = decodeHello(bytes)
    const { id } = this.#options
    const own = this.#identity
    if (peer.minVersion > PROTOCOL_VERSIONS.max || peer.maxVersion < PROTOCOL_VERSIONS.min) {
      throw new RaftError(
        'RAFT_VERSION',
        `peer '${peer.nodeId}' speaks versions ${peer.minVersion} to ${peer.maxVersion} of the protocol and '${id}' speaks ` +
          `${PROTOCOL_VERSIONS.min} to ${PROTOCOL_VERSIONS.max}: upgrade the older of the two`,
      )
    }
    const cluster = own.clusterId === '' ? (this.#options.clusterId ?? '') : own.clusterId
    if (differ(peer.clusterId, cluster)) {
      throw identityError(
        `peer '${peer.nodeId}' belongs to cluster '${peer.clusterId}' and '${id}' to '${cluster}': ` +
          'check the addresses and the bootstrap lists of both',
      )
    }
    this.#checkFounding(peer)
    this.#checkStore(peer)
    this.#checkOther(peer)
    this.#checkCapacity(peer)
    this.#remember(peer)
    return peer.nodeId
  }

  /** Before either has a cluster the lists must be equal; afterwards the foundings (H113, H120). */
  #checkFounding(peer: Hello): void {
    const { id } = this.#options
    const own = this.#identity
    const [theirs, ours] = [nonceOf(peer), this.#ownNonce]
    if (differ(theirs, ours)) {
      throw identityError(
        `peer '${peer.nodeId}' belongs to founding '${theirs}' of cluster '${own.clusterId}' and '${id}' to '${ours}': one of ` +
          'them is of another cluster, or left over from before a recovery, and must be wiped and added again',
      )
    }
    const [digest, ownDigest] = [peer.bootstrapDigest, own.bootstrapDigest ?? '']
    if (differ(digest, ownDigest)) {
      throw identityError(
        `the bootstrap list of peer '${peer.nodeId}' has digest ${digest} and that of '${id}' ${ownDigest}: ` +
          'every node must be given the same ids and suffrages',
      )
    }
  }

  /** A member has the store that it was added with, or one that took its place, and never goes back to an earlier one (H19). */
  #checkStore(peer: Hello): void {
    const storeId = findMember(this.#configuration(), peer.nodeId)?.storeId
    const heard = this.#heard.get(peer.nodeId)
    const isOther = storeId !== undefined && !this.#rules.isMembersStore(storeId, peer.storeId)
    if (isOther && nonceOf(peer) === '') {
      throw identityError(
        `member '${peer.nodeId}' was added with store '${storeId}' and comes with an empty one, '${peer.storeId}': its disk was wiped ` +
          `or replaced, and its votes are lost with it; remove '${peer.nodeId}' from the cluster and add it again`,
      )
    }
    if (isOther && heard?.storeId === storeId && madeAt(peer) < madeAt(heard)) {
      throw identityError(
        `peer '${peer.nodeId}' comes with store '${peer.storeId}', which is older than that of the member, '${storeId}': it was replaced; ` +
          'stop it, or wipe it and add it under an id of its own',
      )
    }
    if (heard?.storeId === peer.storeId && peer.bootCount < heard.bootCount) {
      throw identityError(
        `peer '${peer.nodeId}' has started ${peer.bootCount} times and was heard after ${heard.bootCount} starts: its disk was put ` +
          'back to an earlier state, which has forgotten votes; wipe it, remove the member and add it again',
      )
    }
  }

  #checkCapacity({ nodeId, maxMessageBytes }: Pick<Hello, 'nodeId' | 'maxMessageBytes'>): void {
    const { id, settings } = this.#options
    const excess = excessOf(settings.limits, maxMessageBytes)
    if (excess === null) return
    const { name, neededBytes } = excess
    throw identityError(
      `peer '${nodeId}' takes messages of at most ${maxMessageBytes} bytes and limits.${name} of '${id}' ` +
        `needs ${neededBytes}: raise the peer's limit or lower limits.${name}`,
    )
  }

  #remember(peer: Hello): void {
    const { nodeId, clusterId, storeId, bootCount, maxMessageBytes } = peer
    const [nonce, hasList] = [nonceOf(peer), peer.bootstrapDigest !== '']
    this.#heard.delete(nodeId)
    this.#heard.set(nodeId, {
      clusterId,
      nonce,
      offeredNonce: peer.nonce,
      hasList,
      storeId,
      bootCount,
      maxMessageBytes,
    })
    const [oldest] = this.#heard.keys()
    if (this.#heard.size > MAX_REMEMBERED_PEERS && oldest !== undefined) this.#heard.delete(oldest)
  }

  #become(changes: Partial<StoreIdentity>): StoreIdentity {
    this.#identity = { ...this.#identity, ...changes }
    this.#hello = helloOf(this.#options, this.#identity)
    return this.#identity
  }

  #checkOther({ nodeId, storeId }: { readonly nodeId: NodeId; readonly storeId: string }): void {
    if (nodeId === this.#options.id) {
      throw identityError(`a peer calls itself '${nodeId}', as this node does: every node needs an id of its own`)
    }
    if (storeId === this.#identity.storeId) {
      throw identityError(
        `peer '${nodeId}' has the store of '${this.#options.id}' (${storeId}): one of the two directories is a copy: stop the node that was given it`,
      )
    }
  }
}

function helloOf({ id, transport }: FixedOptions, identity: StoreIdentity): Uint8Array<ArrayBuffer> {
  return encodeHello({
    minVersion: PROTOCOL_VERSIONS.min,
    maxVersion: PROTOCOL_VERSIONS.max,
    clusterId: identity.clusterId,
    nonce: identity.nonce,
    nodeId: id,
    storeId: identity.storeId,
    bootCount: identity.bootCount,
    bootstrapDigest: identity.bootstrapDigest ?? '',
    maxMessageBytes: transport.maxMessageBytes,
  })
}

/** Of the founding that a node belongs to; '' for none. Who still has a list may have one to offer, and belongs to none yet. */
function nonceOf({ nonce, bootstrapDigest }: Pick<StoreIdentity, 'nonce' | 'bootstrapDigest'>): string {
  return (bootstrapDigest ?? '') === '' ? nonce : ''
}

/** Unequal where both are known. */
function differ(theirs: string, ours: string): boolean {
  return theirs !== '' && ours !== '' && theirs !== ours
}

function bootstrapError(options: FixedOptions, stored: string, given: string): RaftError {
  const told = given === '' ? 'the options have none' : `the list in the options has digest ${given}`
  return identityError(
    `the store of '${options.id}' is founding a cluster by a bootstrap list of digest ${stored}, and ${told}: give the list that it ` +
      'began with until all of it have joined',
  )
}

function identityError(message: string): RaftError {
  return new RaftError('RAFT_IDENTITY', message)
}
