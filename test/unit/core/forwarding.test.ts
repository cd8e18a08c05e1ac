// Forwarded proposals: however often and in whatever order a transport delivers them, each is taken once (F16, F17;
// H37, H115).
import fc from 'fast-check'
import { FORWARD_WINDOW, type ProposeRequest } from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { text } from '../../support/core-node.js'
import { heartbeat, proposeRequest, SoloCore } from '../../support/solo-core.js'

function leaderOf(): SoloCore {
  const leader = new SoloCore()
  leader.becomeLeader()
  leader.sent = []
  return leader
}

const commandsOf = (leader: SoloCore) =>
  leader.log.filter((entry) => entry.type === 'command').map((entry) => text(entry.data))
const ask = (leader: SoloCore, fields: Partial<ProposeRequest> & { number: number }, from = 'b') => {
  leader.receive(from, proposeRequest({ term: 1, ...fields }))
  return leader.take('proposeResponse').map(({ message }) => message)
}

describe('a forwarded proposal', () => {
  it('is appended, and answered with its index and term before it is durable', () => {
    const leader = leaderOf()
    leader.persistence = 'later'
    expect(ask(leader, { number: 1 })).toMatchObject([
      { boot: 1, number: 1, refusal: null, firstIndex: 2, entryTerm: 1 },
    ])
  })

  it('H115: that comes twice is taken once and answered alike, also after others, and when the leader stepped down', () => {
    const leader = leaderOf()
    const first = ask(leader, { number: 1 })
    ask(leader, { number: 2 })
    expect(ask(leader, { number: 1 })).toEqual(first)
    leader.tick(100)
    expect(leader.state.role).toBe('follower')
    expect(ask(leader, { number: 1 })).toEqual(first)
    expect(commandsOf(leader)).toEqual(['forward 1', 'forward 2'])
  })

  it('F17: with a number below one already taken is refused, for good', () => {
    const leader = leaderOf()
    ask(leader, { number: 2 })
    expect(ask(leader, { number: 1 })).toMatchObject([{ number: 1, refusal: 'reordered' }])
    expect(ask(leader, { number: 1 })).toMatchObject([{ number: 1, refusal: 'reordered' }])
    expect(commandsOf(leader)).toEqual(['forward 2'])
  })

  it('H115: that was refused is refused again, though it would be taken now', () => {
    const leader = leaderOf()
    leader.budgetBytes = 0
    expect(ask(leader, { number: 1 })).toMatchObject([{ refusal: 'overloaded' }])
    leader.budgetBytes = 1_000
    expect(ask(leader, { number: 1 })).toMatchObject([{ refusal: 'overloaded' }])
    expect(ask(leader, { number: 2 })).toMatchObject([{ refusal: null }])
  })

  it('for a leader of another term is refused', () => {
    const leader = new SoloCore({ currentTerm: 4 })
    leader.becomeLeader()
    leader.sent = []
    leader.receive('b', proposeRequest({ term: 6, number: 1 }))
    expect(leader.last('proposeResponse')).toMatchObject({ refusal: 'notLeader', firstIndex: 0 })
    const follower = new SoloCore({ currentTerm: 0 })
    follower.receive('c', heartbeat({ term: 3 }))
    follower.receive('b', proposeRequest({ term: 3, number: 1 }))
    expect(follower.last('proposeResponse')).toMatchObject({ refusal: 'notLeader' })
  })

  it('H115: that may have been taken before a restart or in an earlier leadership gets no answer', () => {
    const leader = leaderOf()
    ask(leader, { number: 1 })
    leader.crash()
    leader.start()
    leader.sent = []
    expect(ask(leader, { number: 1 })).toEqual([])
    const again = leaderOf()
    ask(again, { number: 1 })
    again.tick(100)
    again.becomeLeader()
    again.sent = []
    expect(again.state.currentTerm).toBe(2)
    expect(ask(again, { number: 1 })).toEqual([])
  })

  it('of an earlier boot of its origin gets no answer; a new boot begins with an empty memory', () => {
    const leader = leaderOf()
    ask(leader, { number: 7, boot: 2 })
    expect(ask(leader, { number: 8, boot: 1 })).toEqual([])
    expect(ask(leader, { number: 1, boot: 3 })).toMatchObject([{ boot: 3, refusal: null }])
    expect(commandsOf(leader)).toEqual(['forward 7', 'forward 1'])
  })

  it('of one origin says nothing about those of another', () => {
    const leader = leaderOf()
    ask(leader, { number: 5 }, 'b')
    expect(ask(leader, { number: 1 }, 'c')).toMatchObject([{ refusal: null }])
  })

  it('is remembered within the window and not below it', () => {
    for (const [back, answers] of [
      [FORWARD_WINDOW - 1, 1],
      [FORWARD_WINDOW, 0],
      [FORWARD_WINDOW + 1, 0],
    ] as const) {
      const leader = leaderOf()
      const number = 10
      const taken = ask(leader, { number })
      ask(leader, { number: number + back })
      expect(ask(leader, { number }), `${back} back`).toEqual(answers === 1 ? taken : [])
      expect(commandsOf(leader)).toHaveLength(2)
    }
  })

  it('the memory of an origin is bounded by the window, also when numbers leap', () => {
    const leader = leaderOf()
    for (let number = 1; number <= FORWARD_WINDOW + 50; number++) ask(leader, { number, commands: [new Uint8Array(1)] })
    const answers = () => leader.state.forwardOrigins.get('b')?.answers.size
    expect(answers()).toBe(FORWARD_WINDOW)
    ask(leader, { number: 2 ** 50 })
    expect(answers()).toBe(1)
    expect(ask(leader, { number: FORWARD_WINDOW })).toEqual([])
  })

  it('H37: is taken at most once and in order, however it is doubled and reordered', () => {
    const property = fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (numbers) => {
      const leader = leaderOf()
      const answers = new Map<number, unknown>()
      for (const number of numbers) {
        const [answer] = ask(leader, { number })
        if (answers.has(number)) expect(answer).toEqual(answers.get(number))
        answers.set(number, answer)
      }
      const taken = commandsOf(leader).map((command) => Number(command.slice('forward '.length)))
      expect(taken).toEqual([...new Set(taken)].sort((x, y) => x - y))
    })
    fc.assert(property, { numRuns: 100 })
  })
})

describe('the origin of a forward', () => {
  function follower(): SoloCore {
    const node = new SoloCore({ currentTerm: 3 })
    node.receive('b', heartbeat({ term: 3 }))
    node.sent = []
    return node
  }

  it('names the term of the leader that it means, its boot, and a number that rises by one', () => {
    const node = follower()
    node.propose('x', 'y')
    node.propose('z')
    const sent = node.take('proposeRequest')
    expect(sent.map(({ to }) => to)).toEqual(['b', 'b'])
    expect(sent.map(({ message }) => [message.term, message.boot, message.number])).toEqual([
      [3, 1, 1],
      [3, 1, 2],
    ])
    expect(sent[0]?.message.commands.map(text)).toEqual(['x', 'y'])
  })

  it('hears what became of it, but nothing of an earlier boot', () => {
    const node = follower()
    const response = {
      type: 'proposeResponse',
      term: 3,
      boot: 1,
      number: 1,
      refusal: null,
      firstIndex: 4,
      entryTerm: 3,
    } as const
    node.receive('b', { ...response, boot: 0 })
    expect(node.results).toEqual([])
    node.receive('b', response)
    node.receive('b', { ...response, number: 2, refusal: 'overloaded', firstIndex: 0, entryTerm: 0 })
    expect(node.results).toEqual([
      { type: 'accepted', number: 1, firstIndex: 4, term: 3 },
      { type: 'refused', number: 2, refusal: 'overloaded' },
    ])
  })
})
