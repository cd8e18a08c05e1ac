// Everything that occurs in a search, once, under a number: states of nodes, packets, histories, and what one step makes
// of a node. A cluster is a few numbers, and the core steps each pair of a node's state and an action only once.
import type { ReadOutcome } from '../../core/output.js'
import type { Term } from '../../core/types.js'
import { type Action, FIRST_DELIVERY, localActionOf } from './action.js'
import { symmetriesOf } from './configurations.js'
import type { Environment } from './environment.js'
import { PairMap } from './hash-tables.js'
import { type History, historyText } from './history.js'
import type { Broken } from './invariants.js'
import { nodeNumber } from './model.js'
import type { Commit } from './node-run.js'
import { type NodeState, nodeText, type Permutation } from './node-state.js'
import { messageText, namesNodes, type Packet } from './packet.js'
import { termsHeld } from './snapshots.js'
import { HashTable } from './symmetry.js'

/** What is asked about a node's state again and again. */
export interface NodeFacts {
  readonly state: NodeState
  readonly isLeader: boolean
  readonly isCandidate: boolean
  readonly term: Term
  readonly terms: readonly Term[]
  /** Number of the log: the same for equal terms. */
  readonly log: number
  readonly commitIndex: number
  readonly durableTerm: Term
  readonly durableTerms: readonly Term[]
  /** Codes of local actions. */
  readonly actions: readonly number[]
}

/** What one action makes of one node. */
export interface Transition {
  /** Number of the node's state afterwards. */
  readonly to: number
  /** Numbers of packets. */
  readonly sent: readonly number[]
  readonly reads: readonly ReadOutcome[]
  /** What a leader committed. */
  readonly commits: readonly Commit[]
  readonly broken: Broken | null
  /** Nothing changes and nothing is sent. */
  readonly isEmpty: boolean
}

export class Tables {
  readonly permutations: readonly Permutation[]
  readonly nodes: NodeFacts[] = []
  readonly packets: Packet[] = []
  /** By packet: the receiver, and from which durable term of it on the packet is dead. */
  readonly receivers: number[] = []
  readonly deadFrom: number[] = []
  readonly mayBeLate: boolean[] = []
  /** Arrives once at most. */
  readonly isUnique: boolean[] = []
  readonly histories: History[] = []
  readonly nodeHashes: HashTable
  readonly packetHashes: HashTable
  readonly historyHashes: HashTable
  /** Whether pre-votes travel. */
  readonly hasPreVotes: boolean
  readonly #environment: Environment
  readonly #nodeNumbers = new Map<string, number>()
  readonly #packetNumbers = new Map<string, number>()
  readonly #historyNumbers = new Map<string, number>()
  readonly #logNumbers = new Map<string, number>()
  readonly #transitions: Transition[] = []
  readonly #transitionNumbers = new PairMap()

  constructor(environment: Environment) {
    this.#environment = environment
    this.hasPreVotes = environment.model.preVote === 'real'
    this.permutations = symmetriesOf(environment.model)
    this.nodeHashes = new HashTable(this.permutations.length)
    this.packetHashes = new HashTable(this.permutations.length)
    this.historyHashes = new HashTable(this.permutations.length)
  }

  /** @param code - of the action, local or a delivery's */
  transition(node: number, code: number): Transition {
    const known = this.#transitionNumbers.get(node, code)
    if (known !== undefined) return this.#transitions[known] as Transition
    const stepped = this.#environment.step((this.nodes[node] as NodeFacts).state, this.action(code))
    const to = stepped.broken === null ? this.node(stepped.state) : node
    const sent = stepped.sent.map((packet) => this.packet(packet))
    const { reads, commits, broken } = stepped
    const isEmpty = to === node && sent.length === 0 && reads.length === 0 && broken === null
    this.#transitionNumbers.set(node, code, this.#transitions.length)
    const transition = { to, sent, reads, commits, broken, isEmpty }
    this.#transitions.push(transition)
    return transition
  }

  /** The action that a code stands for. */
  action(code: number): Action {
    const local = localActionOf(code)
    if (local !== undefined) return { type: 'local', ...local }
    const packet = this.packets[this.packetOf(code)] as Packet
    return { type: 'deliver', packet, isLate: ((code - FIRST_DELIVERY) & 1) === 1 }
  }

  /** Number of the packet that a code delivers; -1 where it delivers none. */
  packetOf(code: number): number {
    return code < FIRST_DELIVERY ? -1 : (code - FIRST_DELIVERY) >> 1
  }

  deliveryCode(packet: number, isLate: boolean): number {
    return FIRST_DELIVERY + packet * 2 + (isLate ? 1 : 0)
  }

  node(state: NodeState): number {
    const textOf = (permutation: Permutation): string => nodeText(state, permutation)
    return this.#intern(this.#nodeNumbers, this.nodeHashes, textOf, () => this.nodes.push(this.#factsOf(state)))
  }

  packet(packet: Packet): number {
    const { from, to, message } = packet
    const text = messageText(message)
    const hasNames = namesNodes(message)
    const textOf = (permutation: Permutation): string => {
      const told = hasNames ? messageText(message, (id) => String(permutation[nodeNumber(id)])) : text
      return `${permutation[from]}>${permutation[to]} ${told}`
    }
    return this.#intern(this.#packetNumbers, this.packetHashes, textOf, () => {
      this.packets.push(packet)
      this.receivers.push(to)
      this.deadFrom.push(this.#environment.deadFromTerm(packet))
      this.mayBeLate.push(this.#environment.mayBeLate(packet))
      this.isUnique.push(message.type === 'readIndexRequest')
    })
  }

  history(history: History): number {
    const textOf = (permutation: Permutation): string => historyText(history, permutation)
    return this.#intern(this.#historyNumbers, this.historyHashes, textOf, () => this.histories.push(history))
  }

  #factsOf(state: NodeState): NodeFacts {
    const { core, disk } = state
    const terms = termsHeld(core, disk)
    const text = terms.join()
    const log = this.#logNumbers.get(text) ?? this.#logNumbers.size
    this.#logNumbers.set(text, log)
    return {
      state,
      isLeader: core.role === 'leader',
      isCandidate: core.role === 'candidate',
      term: core.currentTerm,
      terms,
      log,
      commitIndex: core.commitIndex,
      durableTerm: disk.hardState.currentTerm,
      durableTerms: disk.terms,
      actions: this.#environment.localActions(state),
    }
  }

  #intern(
    numbers: Map<string, number>,
    hashes: HashTable,
    textOf: (permutation: Permutation) => string,
    add: () => void,
  ): number {
    const identity = textOf(this.permutations[0] ?? [])
    const known = numbers.get(identity)
    if (known !== undefined) return known
    const number = hashes.add(this.permutations.map(textOf))
    numbers.set(identity, number)
    add()
    return number
  }
}
