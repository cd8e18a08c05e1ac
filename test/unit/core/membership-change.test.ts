// What a change makes of a configuration, as tables (§6, thesis §4.3, H48), and its encoding in the log.
import fc from 'fast-check'
import {
  type Configuration,
  configurationProblem,
  decodeConfiguration,
  encodeConfiguration,
  type Member,
  type MembershipChange,
  wantedMembers,
} from 'helios-raft/core'
import { describe, expect, it } from 'vitest'
import { nextConfiguration, votersThatDiffer, withNewLearners } from '../../../src/core/membership-change.js'
import { arbConfiguration } from '../codec/message-samples.js'

/** `a b c? d!2`: ids, learners with a `?`, `!` and the index of the entry that added them. */
function membersOf(text: string): Member[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [name = '', addedAt] = word.split('!')
      const id = name.replace('?', '')
      const session = addedAt === undefined ? {} : { addedAt: Number(addedAt) }
      return { id, address: `${id}:1`, suffrage: name.endsWith('?') ? 'learner' : 'voter', ...session }
    })
}
function textOf(members: readonly Member[]): string {
  const session = ({ addedAt }: Member) => (addedAt === undefined ? '' : `!${addedAt}`)
  return members.map((member) => `${member.id}${member.suffrage === 'voter' ? '' : '?'}${session(member)}`).join(' ')
}
const simple = (text: string): Configuration => ({ members: membersOf(text), votersOutgoing: [] })

function asked(text: string): MembershipChange {
  const [type, ...names] = text.split(' ')
  return { type: type as MembershipChange['type'], members: membersOf(names.join(' ')) }
}

describe('what a change asks for', () => {
  it.each([
    ['a b c', 'add d', 'a b c d'],
    ['a b c', 'add d?', 'a b c d?'],
    ['a b c d?', 'add d', 'a b c d'],
    ['a b c d?!7', 'add d', 'a b c d!7'],
    ['b c', 'add a', 'a b c'],
    ['a b c', 'add b', 'a b c'],
    ['a b c d?', 'promote d', 'a b c d'],
    ['a b c', 'promote c', 'a b c'],
    ['a b c', 'demote c', 'a b c?'],
    ['a b c', 'remove c', 'a b'],
    ['a b c', 'remove x', 'a b c'],
    ['a b c?!3 d', 'set c d e', 'c!3 d e'],
  ])('of %s: %s makes %s', (current, change, expected) => {
    const wanted = wantedMembers(simple(current), asked(change))
    expect('members' in wanted ? textOf(wanted.members) : wanted.problem).toBe(expected)
  })

  it.each([
    ['a', 'remove a', "'a' is the last voter: add another one first"],
    ['a b?', 'demote a', "'a' is the last voter: add another one first"],
    ['a b', 'remove a b', "'a', 'b' are the last voters: add another one first"],
    ['a b', 'promote x', "'x' is not a member: add it first"],
    ['a b', 'demote x', "'x' is not a member: add it first"],
    ['a b', 'update x', "'x' is not a member: add it first"],
    ['a b', 'add b?', "'b' is a voter already: demote it"],
    ['a b', 'set a? b?', 'there is no voter'],
    ['a b', 'set a a', "member 'a' is listed twice"],
    ['a b', 'set', 'there is no voter'],
  ])('of %s: %s is refused: %s', (current, change, problem) => {
    expect(wantedMembers(simple(current), asked(change))).toEqual({ problem })
  })

  it('refuses to add a member again at another address, and keeps what was replicated of it', () => {
    const [held] = membersOf('a')
    const current = simple('a b')
    const moved = { type: 'add', members: [{ ...held!, address: 'z:9' }] } as const
    expect(wantedMembers(current, moved)).toEqual({ problem: "'a' is a member at a:1 already: update or remove it" })
    const known = { members: [{ ...held!, metadata: { zone: 'x' }, storeId: 's', addedAt: 4 }], votersOutgoing: [] }
    const update = { type: 'update', members: [{ ...held!, address: 'z:9' }] } as const
    expect(wantedMembers(known, update)).toEqual({
      members: [{ ...held!, address: 'z:9', metadata: { zone: 'x' }, storeId: 's', addedAt: 4 }],
    })
    const facts = { type: 'update', members: [{ ...held!, address: '', metadata: { zone: 'y' } }] } as const
    expect(wantedMembers(known, facts)).toMatchObject({ members: [{ address: 'a:1', metadata: { zone: 'y' } }] })
  })

  it('never makes a configuration that could not be in force, nor lets a client set what the library sets (H48)', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const member: fc.Arbitrary<Member> = fc.record({
      id,
      address: fc.constantFrom('x:1', 'y:2'),
      suffrage: fc.constantFrom('voter', 'learner'),
      addedAt: fc.constant(99),
      storeId: fc.constant('forged'),
    })
    const change = fc.record({
      type: fc.constantFrom<MembershipChange['type']>('add', 'update', 'promote', 'demote', 'remove', 'set'),
      members: fc.array(member, { minLength: 1, maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        let current = simple('a b c')
        let index = 1
        for (const each of changes) {
          const wanted = wantedMembers(current, each)
          if ('problem' in wanted) continue
          index += 1
          const isJoint = votersThatDiffer(current.members, wanted.members) > 1
          const next = nextConfiguration(current, { wanted: wanted.members, index, isJoint })
          expect(configurationProblem(next)).toBeNull()
          for (const { addedAt = 0, storeId } of next.members) {
            expect(addedAt).toBeLessThanOrEqual(index)
            expect(storeId).toBeUndefined()
          }
          current = { members: next.members, votersOutgoing: [] }
        }
      }),
    )
  })
})

describe('the way there', () => {
  it.each([
    ['a b c', 'a b c', 0],
    ['a b c', 'a b c d', 1],
    ['a b c', 'a b', 1],
    ['a b c', 'a b c?', 1],
    ['a b c', 'a b d', 2],
    ['a b', 'c d', 4],
  ])('from %s to %s %d voters differ', (from, to, count) => {
    expect(votersThatDiffer(membersOf(from), membersOf(to))).toBe(count)
    expect(votersThatDiffer(membersOf(to), membersOf(from))).toBe(count)
  })

  it('brings new voters in as learners, with the index of their entry as session', () => {
    const learners = withNewLearners(simple('a b c'), membersOf('a d e f?'), 9)
    expect(textOf(learners?.members ?? [])).toBe('a b c d?!9 e?!9')
    expect(withNewLearners(simple('a b c d?'), membersOf('a d'), 9)).toBeNull()
  })

  it('keeps the voters of before, with their addresses, while it is joint (H126)', () => {
    const current = simple('a b c d?!4')
    const joint = nextConfiguration(current, { wanted: membersOf('d e?'), index: 12, isJoint: true })
    expect(textOf(joint.members)).toBe('d!4 e?!12')
    expect(joint.votersOutgoing).toEqual(membersOf('a b c'))
  })
})

describe('the encoding of a configuration', () => {
  it('gives back every one, and nothing else decodes', () => {
    fc.assert(
      fc.property(arbConfiguration, (configuration) => {
        const bytes = encodeConfiguration(configuration)
        expect(decodeConfiguration(bytes)).toEqual(configuration)
        for (let length = 0; length < bytes.length; length++)
          expect(decodeConfiguration(bytes.slice(0, length))).toBeNull()
        expect(decodeConfiguration(Uint8Array.from([...bytes, 0]))).toBeNull()
      }),
      { numRuns: 60 },
    )
  })

  it('is of bytes that never change their meaning', () => {
    const configuration = { members: membersOf('a b?!5'), votersOutgoing: membersOf('c') }
    expect(Buffer.from(encodeConfiguration(configuration)).toString('hex')).toBe(
      '01000201000001006100030061003a003100020001006200030062003a0031000000000000000500010100000100630003' +
        '0063003a0031',
    )
  })
})
