// Waiting for a cluster to be founded (F25): every listed node says hello to the others until all are there with empty
// stores; then the founder, one of them, founds it, and the others wait to be brought in. Ends when this node has a
// configuration, whoever it is from.
import { findMember } from '../core/configuration.js'
import { votersOf } from '../core/membership-change.js'
import type { Message } from '../core/messages.js'
import type { Output, RoleChange } from '../core/output.js'
import type { CoreState } from '../core/state.js'
import type { Configuration, Member, NodeId } from '../core/types.js'
import type { Clock } from '../interfaces/clock.js'
import type { Logger } from '../interfaces/logger.js'
import { founderOf, type Identity } from './identity.js'
import type { SettingValues } from './options.js'
import type { NodeRules } from './node-rules.js'

export interface FoundingContext {
  readonly id: NodeId
  readonly bootstrap: Configuration | null
  readonly settings: Pick<SettingValues, 'heartbeatIntervalMs'>
  readonly clock: Clock
  readonly logger: Logger
  readonly identity: Identity
  readonly rules: Pick<NodeRules, 'isEmptyStore'>
  /** The core's own state, to be read only. */
  readonly state: CoreState
  readonly send: (to: Pick<Member, 'id' | 'address'>, message: Message) => void
  /** All are there. */
  readonly found: (members: readonly Member[]) => void
}

/** Says nothing to whoever hears it, and makes the transport dial. */
const KNOCK: Message = { type: 'preVoteResponse', term: 0, round: 0, voteGranted: false }

export class Founding {
  readonly #context: FoundingContext
  readonly #connected = new Set<NodeId>()
  #timer: { cancel(): void } | undefined
  #hasFounded = false
  #isClosed = true
  #wasUnderWay = false
  #isOver: boolean
  #lastSaid: string | null = null

  constructor(context: FoundingContext) {
    this.#context = context
    this.#isOver = wasOver(context)
  }

  begin(): void {
    this.#isClosed = false
    this.#knock()
    this.#look()
  }

  onPeerStatus(peer: NodeId, status: 'up' | 'closed' | 'reset'): void {
    if (status === 'up') this.#connected.add(peer)
    else this.#connected.delete(peer)
    if (!this.#isClosed) this.#look()
  }

  /** Whom this node waits for, in words; null where it does not wait for a founding. */
  get explanation(): string | null {
    const list = this.#waitsBy
    if (this.isUnderWay)
      return 'The cluster is being founded: its first members are brought in, one leads them then. Nothing is accepted yet: if one of them lost its disk meanwhile, wipe them all and start again'
    if (list === null) return null
    const { foundedPeers: founded } = this.#context.identity
    if (founded.length > 0) {
      const belong = founded.length === 1 ? 'belongs' : 'belong'
      return `Waiting to be added: the cluster was founded without this node's store, and ${founded.join(', ')} ${belong} to it. ${addAgain(this.#context.id)}`
    }
    const missing = list.filter(({ id }) => !this.#isPresent(id)).map(({ id }) => id)
    const founder = founderOf({ members: list })
    if (missing.length === 0 && this.#context.identity.heardOf(founder)?.hasList === false) {
      return `Waiting for ${founder} to found the cluster: it was started without the bootstrap list, give it that`
    }
    const waitedFor = missing.length > 0 ? missing.join(', ') : founder
    return `Waiting for ${waitedFor} to found the cluster (${list.length - missing.length} of ${list.length} members present)`
  }

  /**
   * The founder is alone in the committed configuration: the cluster is not what it was listed to be, and nobody hears of a
   * leader yet, whom one might stop.
   */
  get isUnderWay(): boolean {
    const { bootstrap, state } = this.#context
    if (this.#isOver || bootstrap === null) return false
    const [first, ...later] = state.log.configurations
    if (first === undefined) return false
    const isAlone =
      first.index === 1 && votersOf(first.configuration.members).length < votersOf(bootstrap.members).length
    const isDone = ({ index, configuration }: typeof first): boolean =>
      index <= state.commitIndex && configuration.votersOutgoing.length === 0
    this.#isOver = !isAlone || later.some(isDone)
    return !this.#isOver
  }

  /** What listeners are to hear of: nothing while it is under way, and all that they have missed when it is over. */
  newsOf({ roles, leader }: Output): Pick<Output, 'roles' | 'leader'> {
    const { state } = this.#context
    const wasUnderWay = this.#wasUnderWay
    this.#wasUnderWay = this.isUnderWay
    if (this.#wasUnderWay) return { roles: [], leader: undefined }
    if (!wasUnderWay) return { roles, leader }
    const { role, currentTerm: term, leaderId: id } = state
    const began: RoleChange = { role, previous: 'follower', term, reason: 'the cluster is founded' }
    return { roles: role === 'follower' ? [] : [began], leader: id === null ? undefined : { id, term } }
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** The list by which this node waits; null when it doesn't. */
  get #waitsBy(): readonly Member[] | null {
    const { bootstrap, identity, state } = this.#context
    const isMember = state.log.configurations.length > 0 || identity.isFounded
    return bootstrap === null || isMember ? null : bootstrap.members
  }

  /** Connected, with a store that belongs to no cluster yet. */
  #isPresent(id: NodeId): boolean {
    if (id === this.#context.id) return true
    const heard = this.#context.identity.heardOf(id)
    return this.#connected.has(id) && heard !== null && this.#context.rules.isEmptyStore(heard.nonce)
  }

  #knock(): void {
    const { id: own, clock, settings, send } = this.#context
    const list = this.#waitsBy
    if (list === null || this.#isClosed) return
    for (const { id, address } of list) if (id !== own && !this.#connected.has(id)) send({ id, address }, KNOCK)
    this.#timer = clock.schedule(clock.now() + settings.heartbeatIntervalMs, () => this.#knock())
  }

  #look(): void {
    const { id: own, logger, identity, found } = this.#context
    const list = this.#waitsBy
    if (list === null || this.#hasFounded) return
    const isFounder = founderOf({ members: list }) === own
    // Who was added later may be all that is left of the cluster that this one was in.
    const isFree = identity.foundedPeers.length === 0
    if (isFounder && isFree && list.every(({ id }) => this.#isPresent(id))) {
      this.#hasFounded = true
      found(list.map((member) => ({ ...member, storeId: identity.heardOf(member.id)?.storeId ?? identity.storeId })))
      return
    }
    const text = this.explanation
    if (text !== null && text !== this.#lastSaid) logger.info({ node: own }, text)
    this.#lastSaid = text
  }
}

/** What to do with a node that holds nothing and may be a member nevertheless. */
export function addAgain(id: NodeId): string {
  return `If '${id}' is a member already, its disk was lost: remove '${id}' from the cluster first, then add it again`
}

/**
 * Before a restart: more than the first configuration was in force, or the only voter had nobody to bring in, whatever
 * another list says now (F26).
 */
function wasOver({ id, state: { log, founding } }: FoundingContext): boolean {
  const held = log.configurations.at(-1)
  if (held === undefined) return false
  return held.index > 1 || (founding === null && findMember(held.configuration, id)?.suffrage === 'voter')
}
