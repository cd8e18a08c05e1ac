// Golden scripts: prose, commands and what they did, to be read as a story. A line that begins with `> ` is a command;
// the indented lines below it are its output; everything else is prose and passes through. Nodes step only by command:
// nothing is delivered, no time passes and no disk writes unless the script says so.
import type { Message, NodeId } from 'helios-raft/core'
import { both, between, CoreCluster, diskOf, type Match, ofType } from './core-cluster.js'
import type { SimulatedNode } from './core-node.js'
import { describeOutput, describePacket, describeState, options } from './script-words.js'

/** Runs a script and returns it with the output of each command as it is now. */
export function runScript(script: string): string {
  const stage = new Stage()
  const lines: string[] = []
  for (const line of script.split('\n')) {
    if (line.startsWith('  ') && stage.isAfterCommand) continue
    stage.isAfterCommand = false
    lines.push(line)
    if (!line.startsWith('> ')) continue
    lines.push(...stage.run(line.slice(2).trim().split(/\s+/)).map((said) => `  ${said}`))
    stage.isAfterCommand = true
  }
  return lines.join('\n')
}

class Stage {
  isAfterCommand = false
  #cluster: CoreCluster | null = null
  #said: string[] = []
  readonly #disks: Record<NodeId, ReturnType<typeof diskOf>> = {}

  run(words: readonly string[]): readonly string[] {
    this.#said = []
    const [command = '', ...rest] = words
    const run = this.#commands[command]
    try {
      if (run === undefined) throw new Error(`there is no command '${command}'`)
      run(rest)
    } catch (error) {
      this.#said.push(`${(error as Error).name}: ${(error as Error).message}`)
    }
    return this.#said
  }

  get #nodes(): CoreCluster {
    if (this.#cluster === null) throw new Error('begin with `cluster`')
    return this.#cluster
  }

  readonly #commands: Readonly<Record<string, (words: readonly string[]) => void>> = {
    /** `disk a term=3 vote=b 1 1 2`: what a node finds when it starts; entries by their terms. */
    disk: ([id = '', ...words]) => {
      const { term, vote } = options(words)
      const terms = words.filter((word) => /^\d+$/.test(word)).map(Number)
      this.#disks[id] = diskOf(terms, term === undefined ? undefined : Number(term), vote ?? null)
    },
    /** `cluster a b c learners=d window=2` */
    cluster: (words) => {
      const { learners = '', window = '256', batch = '1024' } = options(words)
      const voters = words.filter((word) => !word.includes('='))
      const limits = { inflightMessages: Number(window), appendEntries: Number(batch) }
      const extra = { learners: learners.split(',').filter((id) => id !== ''), disks: this.#disks }
      this.#cluster = new CoreCluster({ voters, checkFreshness: false, ...limits, ...extra })
      this.#cluster.onDeliver = (packet) => this.#say(describePacket(packet))
      this.#cluster.onOutput = (node, output) => {
        for (const line of describeOutput(node, output)) this.#say(line)
      }
    },
    campaign: ([id = '']) => void this.#nodes.campaign(id),
    /** `tick a 30`: its clock alone; `tick all 100`. */
    tick: ([id = '', ms = '0']) => {
      for (const node of this.#chosen(id)) node.tick(Number(ms))
    },
    /** Time that nobody notices: no tick, no deadline. */
    pass: ([id = '', ms = '0']) => {
      for (const node of this.#chosen(id)) node.clock += Number(ms)
    },
    propose: ([id = '', ...commands]) => void this.#nodes.node(id).propose(...commands),
    read: ([id = '']) => this.#nodes.read(id),
    /** `deliver`, `deliver a->b`, `deliver appendEntries a->b`: what is on its way now. */
    deliver: (words) => void this.#nodes.deliver(this.#match(words)),
    /** The same, until nothing of it is left. */
    settle: (words) => void this.#nodes.settle(this.#match(words)),
    /** The same without telling it. */
    quietly: ([command = '', ...words]) => {
      const kept = this.#said.slice()
      this.#commands[command]?.(words)
      this.#said = kept
    },
    /** The newest that matches, before all others. */
    overtake: (words) => {
      const packet = this.#nodes.network.filter(this.#match(words)).at(-1)
      if (packet === undefined) throw new Error('nothing matches')
      this.#nodes.deliverPacket(packet)
    },
    drop: (words) => this.#say(`${this.#nodes.drop(this.#match(words))} lost`),
    duplicate: (words) => {
      const packets = this.#nodes.network.filter(this.#match(words))
      for (const packet of packets) this.#nodes.duplicate(packet)
      this.#say(`${packets.length} twice on their way`)
    },
    network: () => {
      for (const packet of this.#nodes.network) this.#say(describePacket(packet))
    },
    cut: ([link = '']) => this.#nodes.cut(...(link.split('->') as [NodeId, NodeId])),
    /** `partition a | b c` */
    partition: (words) =>
      this.#nodes.partition(
        ...words
          .join(' ')
          .split('|')
          .map((group) => group.trim().split(' ')),
      ),
    heal: () => this.#nodes.heal(),
    crash: ([id = '']) => this.#nodes.crash(id),
    restart: ([id = '']) => void this.#nodes.restart(id),
    /** `disks a slow`: writes wait for `persist`; `disks a fast`. */
    disks: ([id = '', speed = '']) => {
      for (const node of this.#chosen(id)) node.persistence = speed === 'slow' ? 'later' : 'now'
    },
    /** `snapshot a`, `snapshot all trailing=2`: of what is applied; what of the log lies before those entries goes. */
    snapshot: ([id = '', ...words]) => {
      for (const node of this.#chosen(id)) node.takeSnapshot(Number(options(words)['trailing'] ?? 0))
    },
    /** `installs c slow`: a snapshot that is decided for waits for `install c`. */
    installs: ([id = '', speed = '']) => {
      for (const node of this.#chosen(id)) node.installs = speed === 'slow' ? 'later' : 'now'
    },
    install: ([id = '']) => this.#nodes.node(id).completeInstall(),
    /** `persist a 1`: the oldest writes complete. */
    persist: ([id = '', count = '1000']) => void this.#nodes.node(id).persist(Number(count)),
    peer: ([id = '', peer = '', status = '']) => {
      this.#nodes.node(id).peerStatus(peer, status as 'up' | 'closed' | 'reset')
    },
    log: ([id = 'all']) => {
      for (const node of this.#chosen(id)) {
        const [memory, disk] = [node.log, node.durable.log].map((log) => log.map(({ term }) => term).join(' '))
        this.#say(`${node.id}: ${memory}${memory === disk ? '' : `   on disk: ${disk}`}`)
      }
    },
    status: ([id = 'all']) => {
      for (const node of this.#chosen(id)) this.#say(describeState(node))
    },
    progress: ([id = '']) => {
      for (const [peer, { state, matchIndex, nextIndex, inflight }] of this.#nodes.node(id).state.progress) {
        this.#say(`${peer}: ${state} match=${matchIndex} next=${nextIndex} inflight=${inflight.join(',') || 'none'}`)
      }
    },
  }

  #say(line: string): void {
    this.#said.push(line)
  }

  #chosen(id: string): readonly SimulatedNode[] {
    return id === 'all' ? [...this.#nodes.nodes.values()].filter(({ isUp }) => isUp) : [this.#nodes.node(id)]
  }

  #match(words: readonly string[]): Match {
    const matches = words.map((word): Match => {
      const [from, receiver] = word.split('->')
      if (receiver !== undefined) return (packet) => between(from || packet.from, receiver || packet.to)(packet)
      return ofType(...(word.split(',') as Message['type'][]))
    })
    return both(...matches)
  }
}
