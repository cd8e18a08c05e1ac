// What an operator may ask of a running node, for RESP and HTTP alike: who the members are, and the calls that change
// them. It adds patience and checks to RaftNode's public calls, and keeps no state but what is
// known of snapshots.
import type { Member, MembershipOptions, MemberSpec, RaftNode, SnapshotMeta } from 'helios-raft'
import { isRaftError, RaftError } from 'helios-raft'
import { addressOf, isWildcard } from '../config/values.js'
import { UsageError } from '../config/usage-error.js'
import { badRequest, HttpError } from '../http/http-error.js'
import { addressesOf } from '../server/node-addresses.js'
import { pause } from '../server/pause.js'
import type { KvCommand, KvResult } from '../state-machine/command.js'
import { askLeader, LOOK_MS } from './ask-leader.js'
import { type ClusterView, clusterView } from './node-view.js'

/** The calls of RaftNode that an operator's wishes become. */
export type AdminNode = Pick<
  RaftNode<KvCommand, KvResult>,
  | 'status'
  | 'read'
  | 'addMember'
  | 'updateMember'
  | 'promote'
  | 'demote'
  | 'removeMember'
  | 'transferLeadership'
  | 'takeSnapshot'
  | 'leader'
>

/** A change that takes longer is told as one whose outcome is unknown; asking again does no harm. */
const CHANGE_TIMEOUT_MS = 120_000
/** Most changes of the membership take a few round trips. */
const PATIENCE_MS = 1_000
const RETRY_MS = 50

export interface AdministrationOptions {
  readonly node: AdminNode
  /** How long another change of the membership is waited for. @defaultValue 1000 */
  readonly patienceMs?: number | undefined
}

export class Administration {
  readonly #node: AdminNode
  readonly #patienceMs: number
  #savings = 0
  #lastSaveAt = Math.floor(Date.now() / 1000)

  constructor({ node, patienceMs = PATIENCE_MS }: AdministrationOptions) {
    this.#node = node
    this.#patienceMs = patienceMs
  }

  /** When the last snapshot became durable, or else this server started: seconds since 1970. */
  get lastSaveAt(): number {
    return this.#lastSaveAt
  }

  /** A snapshot of this node is durable. */
  observeSnapshot(): void {
    this.#lastSaveAt = Math.floor(Date.now() / 1000)
  }

  /**
   * The members as the leader sees them, where it can be had: it alone knows how far the others are. Else as this node does.
   * @param wasForwarded - another node asks us in the belief that we lead: it is not passed on again
   */
  async members(wasForwarded = false): Promise<ClusterView> {
    const { id, role, leader } = this.#node.status()
    const { http } = addressesOf(leader)
    if (role !== 'leader' && http !== '' && !wasForwarded) {
      const seen = await askLeader({ http, from: id, path: '/admin/nodes', method: 'GET', timeoutMs: LOOK_MS }).catch(
        () => null,
      )
      if (isClusterView(seen)) return seen
    }
    return clusterView(this.#node.status())
  }

  /** @returns the member as it is now, and whether it is new. @throws HttpError, RaftError */
  async add(spec: MemberSpec): Promise<{ readonly member: Member; readonly isNew: boolean }> {
    checkAddress(spec.address)
    await this.#reach()
    const isNew = this.#find(spec.id) === null
    const member = await this.#change(spec.id, (options) => this.#node.addMember(spec, options))
    return { member: member ?? { ...spec, suffrage: spec.suffrage ?? 'voter' }, isNew }
  }

  /** The same node and store, at another address. @throws HttpError 404 for nobody's id, RaftError */
  async update(id: string, address: string): Promise<Member | null> {
    checkAddress(address)
    await this.#expectMember(id)
    return this.#change(id, (options) => this.#node.updateMember(id, { address }, options))
  }

  /**
   * @param force - also when too few of those that are left are reachable: then nothing is committed until they are
   * @throws HttpError 404 for nobody's id, RaftError
   */
  async remove(id: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.#expectMember(id)
    await this.#change(id, (options) => {
      const forced: MembershipOptions = force ? { ...options, force } : options
      return this.#node.removeMember(id, forced)
    })
  }

  /** @throws HttpError 404 for nobody's id, RaftError */
  async promote(id: string): Promise<Member | null> {
    await this.#expectMember(id)
    return this.#change(id, (options) => this.#node.promote(id, options))
  }

  /** @throws HttpError 404 for nobody's id, RaftError */
  async demote(id: string): Promise<Member | null> {
    await this.#expectMember(id)
    return this.#change(id, (options) => this.#node.demote(id, options))
  }

  /**
   * Leadership moves to that voter, or to the best one; a follower asks the leader over HTTP, where that is known.
   * @param wasForwarded - another node asks us in the belief that we lead: it is not passed on again
   * @returns who leads then. @throws HttpError, RaftError
   */
  async transfer(to: string | undefined, wasForwarded = false): Promise<string | null> {
    const { id, role, leader } = this.#node.status()
    if (role === 'leader' || wasForwarded) {
      await this.#node.transferLeadership(to)
      return this.#node.leader?.id ?? null
    }
    if (leader === null) throw new RaftError('RAFT_NO_LEADER', `'${id}' does not lead, and knows nobody who does`)
    const { http, resp } = addressesOf(leader)
    if (http !== '') {
      const answer = (await askLeader({ http, from: id, path: '/admin/transfer', method: 'POST', body: { to } })) as {
        readonly leader?: unknown
      }
      return typeof answer.leader === 'string' ? answer.leader : null
    }
    const where = resp === '' ? `'${leader.id}'` : `'${leader.id}' at ${resp}`
    throw new HttpError(503, 'RAFT_NOT_LEADER', `'${id}' does not lead, and only the leader hands over: ask ${where}`)
  }

  /** A snapshot that was asked for here is being taken. */
  get isSaving(): boolean {
    return this.#savings > 0
  }

  /** @throws RaftError */
  async snapshot(): Promise<SnapshotMeta> {
    this.#savings += 1
    try {
      return await this.#node.takeSnapshot()
    } finally {
      this.#savings -= 1
    }
  }

  async #expectMember(id: string): Promise<void> {
    await this.#reach()
    if (this.#find(id) === null) throw new HttpError(404, 'NOT_FOUND', `'${id}' is not a member of this cluster`)
  }

  /** Proves that there is a leader with a quorum, and brings the membership that this node knows up to date. */
  async #reach(): Promise<void> {
    try {
      await this.#node.read(() => undefined)
    } catch (error) {
      if (!isRaftError(error, 'RAFT_TIMEOUT')) throw error
      const { explanation } = this.#node.status()
      const reason = explanation === null ? 'ask again when a majority is back' : explanation
      throw new RaftError('RAFT_NO_LEADER', `no quorum answered: ${reason}`, { cause: error })
    }
  }

  /** Another change may be done in a moment: what is refused for that is asked for again for a while. */
  async #change(
    id: string,
    ask: (options: { readonly timeoutMs: number }) => Promise<{ readonly members: readonly Member[] }>,
  ): Promise<Member | null> {
    const isPatientUntil = performance.now() + this.#patienceMs
    for (;;) {
      try {
        const { members } = await ask({ timeoutMs: CHANGE_TIMEOUT_MS })
        return members.find((member) => member.id === id) ?? null
      } catch (error) {
        const isBusy = isRaftError(error, 'RAFT_CONFIGURATION_PENDING', 'RAFT_TRANSFERRING')
        if (!isBusy || performance.now() >= isPatientUntil) throw error
        await pause(RETRY_MS)
      }
    }
  }

  #find(id: string): Member | null {
    return this.#node.status().configuration.members.find((member) => member.id === id) ?? null
  }
}

/** What a leader of another version leaves out is shown as nothing. */
function isClusterView(seen: unknown): seen is ClusterView {
  return typeof seen === 'object' && seen !== null && 'nodes' in seen && Array.isArray(seen.nodes)
}

/** Others must be able to dial it. */
function checkAddress(text: string): void {
  try {
    const address = addressOf(text, 'the address')
    if (isWildcard(address) || address.port === 0) {
      throw badRequest(`${text} is no address that the other members could dial: name a host and a port`)
    }
  } catch (error) {
    throw error instanceof UsageError ? badRequest(error.message) : error
  }
}
