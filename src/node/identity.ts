// Who this node is, and whom it talks to (F25, F26): the identity that its store holds or begins with, the hello that
// says it, and the checks of a peer's hello before any message is taken (H47, H49, H113).
import { entryOverheadBytes } from '../codec/entries-field.js'
import { messageOverheadBytes } from '../codec/message-codec.js'
import { decodeHello, encodeHello, type Hello } from '../codec/hello.js'
import type { NodeId } from '../core/types.js'
import { RaftError } from '../errors.js'
import type { StoreIdentity } from '../interfaces/log-store.js'
import { bootstrapDigest } from './bootstrap-digest.js'
import type { ResolvedOptions } from './options.js'

/** Versions of the wire format that this version of the library speaks. */
export const PROTOCOL_VERSIONS: { readonly min: number; readonly max: number } = Object.freeze({ min: 1, max: 1 })

/** What `identityAtStart` needs of what the store held. */
export interface StoredIdentity {
  readonly identity: StoreIdentity | null
  /** Entries or a term are there: the store has taken part in a cluster. */
  readonly isUsed: boolean
}

/**
 * The identity of this boot: the stored one, or a new one, with the boot counter raised.
 * @throws RaftError RAFT_IDENTITY when the options name another cluster, or another bootstrap list, than the store
 */
export function identityAtStart(options: ResolvedOptions, { identity, isUsed }: StoredIdentity): StoreIdentity {
  const digest = bootstrapDigest(options.bootstrap)
  // A joiner says no cluster before it has one: the one in its options is what it expects of others.
  const clusterId = options.bootstrap === null ? '' : (options.clusterId ?? digest)
  const nodeId = options.id
  if (identity === null) {
    const begins = { clusterId, nonce: '', storeId: randomId(), bootCount: 1, leasePromiseMs: 0 }
    return { ...begins, nodeId, bootstrapDigest: digest }
  }
  // Its votes are another's: two directories swapped would let one id vote twice in a term (H19).
  if (identity.nodeId !== undefined && identity.nodeId !== nodeId) {
    throw identityError(
      `the store belongs to node '${identity.nodeId}' and the options say '${nodeId}': use the directory of '${nodeId}'`,
    )
  }
  const isOtherCluster =
    options.clusterId !== null && identity.clusterId !== '' && options.clusterId !== identity.clusterId
  if (isOtherCluster) {
    throw identityError(
      `the store of '${options.id}' belongs to cluster '${identity.clusterId}' and the options say '${options.clusterId}': ` +
        'use the right directory, or leave clusterId out',
    )
  }
  const storedDigest = identity.bootstrapDigest ?? ''
  // Its cluster has a founding of its own: who is in it stands in the log, and no list changes that (F26).
  const isFounded = identity.nonce !== ''
  // A store that was never told of a cluster may still be told once.
  const isFirstList = storedDigest === '' && !isUsed
  if (digest !== storedDigest && !isFirstList && !isFounded) throw bootstrapError(options, storedDigest, digest)
  return {
    ...identity,
    nodeId,
    clusterId: identity.clusterId === '' ? clusterId : identity.clusterId,
    bootCount: identity.bootCount + 1,
    bootstrapDigest: isFounded ? storedDigest : digest,
  }
}

/** What a peer that was refused would have to change. */
export interface Refusal {
  readonly text: string
  readonly atMs: number
}

/** Peers whose cluster a node remembers while it has none itself; nobody beyond them is adopted from. */
const MAX_REMEMBERED_PEERS = 1_024

type OfCluster = Pick<StoreIdentity, 'clusterId' | 'nonce'>

/** The hello of a node and its judgement of others'. */
export class Identity {
  readonly #options: ResolvedOptions
  #identity: StoreIdentity
  #hello: Uint8Array<ArrayBuffer>
  /** What the newest hello of each peer said, from before this node had a cluster. */
  readonly #remembered = new Map<NodeId, OfCluster>()

  constructor(options: ResolvedOptions, identity: StoreIdentity) {
    this.#options = options
    this.#identity = identity
    this.#hello = helloOf(options, identity)
  }

  /**
   * A node without a cluster belongs to that of the leader which speaks to it: its identity from now on, to be made durable
   * before anything is acknowledged. Null where there is nothing to adopt.
   */
  adoptFrom(leader: NodeId): StoreIdentity | null {
    const said = this.#remembered.get(leader)
    if (this.#identity.clusterId !== '' || said === undefined || said.clusterId === '') return null
    this.#identity = { ...this.#identity, ...said }
    this.#hello = helloOf(this.#options, this.#identity)
    return this.#identity
  }

  /** Whether the peer, whose connection is from before this node had a cluster, belongs to another one. */
  isStranger(peer: NodeId): boolean {
    const said = this.#remembered.get(peer)
    return (
      said !== undefined &&
      (differ(said.clusterId, this.#identity.clusterId) || differ(said.nonce, this.#identity.nonce))
    )
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
    const ownDigest = own.bootstrapDigest ?? ''
    if (differ(peer.bootstrapDigest, ownDigest)) {
      throw identityError(
        `the bootstrap list of peer '${peer.nodeId}' has digest ${peer.bootstrapDigest} and that of '${id}' ${ownDigest}: ` +
          'every node must be given the same ids and suffrages',
      )
    }
    this.#checkOther(peer)
    this.#checkCapacity(peer)
    this.#remember(peer)
    return peer.nodeId
  }

  /**
   * Who knows the cluster and not its founding is from before a recovery or a restored backup: it has another log, and would
   * go on with it under the same name (H120).
   */
  #checkFounding({ nodeId, clusterId, nonce, bootstrapDigest: digest }: Hello): void {
    const { id } = this.#options
    const own = this.#identity
    if (differ(nonce, own.nonce)) {
      throw identityError(
        `peer '${nodeId}' belongs to founding '${nonce}' of cluster '${own.clusterId}' and '${id}' to '${own.nonce}': ` +
          'one of them is left over from before a recovery, and must be wiped and added again',
      )
    }
    if (own.nonce !== '' && nonce === '' && clusterId !== '') {
      const how = digest === '' ? 'is a member from before that' : 'was started with a bootstrap list'
      throw identityError(
        `peer '${nodeId}' ${how} and '${id}' belongs to founding '${own.nonce}' of cluster ` +
          `'${own.clusterId}', which has none: stop that peer, wipe it, start it without a list and add it`,
      )
    }
    if (own.nonce === '' && own.clusterId !== '' && nonce !== '') {
      throw identityError(
        `peer '${nodeId}' belongs to founding '${nonce}' of cluster '${clusterId}' and '${id}' is from before that: if the cluster ` +
          `was recovered or restored without '${id}', stop it, wipe it, start it without a list and add it`,
      )
    }
  }

  #checkCapacity({ nodeId, maxMessageBytes }: { readonly nodeId: NodeId; readonly maxMessageBytes: number }): void {
    const { id, limits } = this.#options
    for (const name of ['commandBytes', 'snapshotChunkBytes'] as const) {
      const neededBytes = limits[name] + messageOverheadBytes + entryOverheadBytes
      if (maxMessageBytes >= neededBytes) continue
      throw identityError(
        `peer '${nodeId}' takes messages of at most ${maxMessageBytes} bytes and limits.${name} of '${id}' ` +
          `needs ${neededBytes}: raise the peer's limit or lower limits.${name}`,
      )
    }
  }

  #remember({ nodeId, clusterId, nonce }: OfCluster & { readonly nodeId: NodeId }): void {
    this.#remembered.delete(nodeId)
    if (this.#identity.clusterId === '' && this.#remembered.size < MAX_REMEMBERED_PEERS) {
      this.#remembered.set(nodeId, { clusterId, nonce })
    }
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

function helloOf({ id, transport }: ResolvedOptions, identity: StoreIdentity): Uint8Array<ArrayBuffer> {
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

/** Unequal where both are known. */
function differ(theirs: string, ours: string): boolean {
  return theirs !== '' && ours !== '' && theirs !== ours
}

/** 128 random bits: the one thing that is not decided by clock and seed, because a wiped disk must differ. */
export function randomId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function bootstrapError(options: ResolvedOptions, stored: string, given: string): RaftError {
  const told = given === '' ? 'the options have none' : `the list in the options has digest ${given}`
  const held = stored === '' ? 'without a bootstrap list' : `with a bootstrap list of digest ${stored}`
  return identityError(
    `the store of '${options.id}' was made ${held}, and ${told}: members are not changed by the list, give the one that ` +
      'it was made with',
  )
}

function identityError(message: string): RaftError {
  return new RaftError('RAFT_IDENTITY', message)
}
