// RAFT and its subcommands, BGSAVE and LASTSAVE, and INFO while the membership changes (atlas.md §3).
import { RaftError } from 'helios-raft'
import { beforeEach, describe, expect, it } from 'vitest'
import { CommandRunner, STATUS } from './resp-commands.js'
import { SingleNode } from './single-node.js'

describe('RAFT', () => {
  let node: SingleNode
  let runner: CommandRunner

  beforeEach(() => {
    node = new SingleNode()
    runner = new CommandRunner(STATUS, node.admin)
  })

  it('adds, promotes, demotes and removes members, hands over, takes a snapshot', async () => {
    expect(await runner.ask('RAFT', 'ADD', 'node-4', 'localhost:7003')).toBe('+OK\r\n')
    expect(await runner.ask('raft', 'add', 'node-5', '[::1]:7004', 'learner')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'PROMOTE', 'node-5')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'DEMOTE', 'node-5')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'REMOVE', 'node-5')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'UPDATE', 'node-4', 'localhost:7009')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'REMOVE', 'node-4', 'force')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'TRANSFER')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'TRANSFER', 'node-2')).toBe('+OK\r\n')
    expect(await runner.ask('RAFT', 'SNAPSHOT')).toBe(':7\r\n')
    expect(node.wishes).toEqual([
      ['add', { id: 'node-4', address: 'localhost:7003', suffrage: 'voter' }],
      ['add', { id: 'node-5', address: '[::1]:7004', suffrage: 'learner' }],
      ['promote', 'node-5'],
      ['demote', 'node-5'],
      ['remove', 'node-5'],
      ['update', 'node-4', { address: 'localhost:7009' }],
      ['remove', 'node-4', 'force'],
      ['transfer', undefined],
      ['transfer', 'node-2'],
      ['snapshot'],
    ])
  })

  it.each([
    ['RAFT', "ERR wrong number of arguments for 'raft' command"],
    ['RAFT LEAVE', "ERR unknown subcommand 'LEAVE'. Try RAFT HELP."],
    ['RAFT ADD node-4', "ERR wrong number of arguments for 'raft|add' command: RAFT ADD id host:port [LEARNER]"],
    ['RAFT ADD node-4 a:1 LEARNER x', /^ERR wrong number of arguments for 'raft\|add'/],
    ['RAFT ADD node-4 a:1 VOTER', 'ERR syntax error'],
    ['RAFT ADD node-4 a', /^ERR the address is "a", but HOST:PORT is needed/],
    ['RAFT ADD node-4 :7003', /^ERR :7003 is no address that the other members could dial/],
    ['RAFT REMOVE', /^ERR wrong number of arguments for 'raft\|remove'/],
    ['RAFT REMOVE node-9', "ERR 'node-9' is not a member of this cluster"],
    ['RAFT REMOVE node-2 NOW', 'ERR syntax error'],
    ['RAFT UPDATE node-9 a:1', "ERR 'node-9' is not a member of this cluster"],
    ['RAFT UPDATE node-2 a:0', /^ERR a:0 is no address that the other members could dial/],
    ['RAFT PROMOTE node-9', "ERR 'node-9' is not a member of this cluster"],
    ['RAFT TRANSFER a b', /^ERR wrong number of arguments for 'raft\|transfer'/],
    ['RAFT SNAPSHOT now', /^ERR wrong number of arguments for 'raft\|snapshot'/],
    ['BGSAVE now', 'ERR syntax error'],
    ['LASTSAVE now', "ERR wrong number of arguments for 'lastsave' command"],
  ])('refuses %s', async (line, error) => {
    const reply = await runner.ask(...line.split(' '))
    expect(reply).toMatch(/^-.*\r\n$/)
    expect(reply.slice(1, -2)).toMatch(error)
    expect(node.wishes).toEqual([])
  })

  it.each([
    [new RaftError('RAFT_CONFIGURATION_PENDING', 'why'), 'TRYAGAIN membership change in progress'],
    [new RaftError('RAFT_TRANSFERRING', 'why'), 'TRYAGAIN leadership transfer in progress'],
    [new RaftError('RAFT_INVALID_CONFIGURATION', 'no voter is left'), 'ERR no voter is left'],
    [new RaftError('RAFT_TIMEOUT', 'it stays a learner'), 'ERR it stays a learner'],
    [
      new RaftError('RAFT_TIMEOUT', 'late', { outcome: 'unknown' }),
      'TIMEOUT no commit within the deadline; outcome unknown',
    ],
    [
      new RaftError('RAFT_NOT_MEMBER', 'x'),
      'CLUSTERDOWN this node is not a member of the cluster (any more, or not yet); not applied',
    ],
    [new Error('secret'), 'ERR internal error; see the log of this node'],
  ])('tells of %s', async (error, line) => {
    node.refusals.push(...Array.from({ length: 100 }, () => error))
    expect(await runner.ask('RAFT', 'ADD', 'node-4', 'localhost:7003')).toBe(`-${line}\r\n`)
  })

  it('says CLUSTERDOWN without a quorum, and asks for nothing', async () => {
    node.error = new RaftError('RAFT_TIMEOUT', 'late')
    expect(await runner.ask('RAFT', 'ADD', 'node-4', 'localhost:7003')).toBe('-CLUSTERDOWN No raft leader\r\n')
    expect(node.wishes).toEqual([])
  })

  it('names the leader when a follower can not pass a transfer on', async () => {
    const leader = { id: 'node-2', address: '127.0.0.1:7001', suffrage: 'voter', metadata: { resp: '127.0.0.1:6380' } }
    node.changes = { role: 'follower', leader }
    expect(await runner.ask('RAFT', 'TRANSFER')).toBe(
      "-ERR 'node-1' does not lead, and only the leader hands over: ask 'node-2' at 127.0.0.1:6380\r\n",
    )
  })

  it('shows status, members and help', async () => {
    const status = await runner.ask('RAFT', 'STATUS')
    for (const line of ['raft_node_id:node-1', 'raft_suffrage:voter', 'raft_voters:2', 'raft_explanation:']) {
      expect(status).toContain(`${line}\r\n`)
    }
    expect(await runner.ask('RAFT', 'NODES')).toContain(
      'id=node-1 addr=127.0.0.1:7000 suffrage=voter change= leader=1 replication= match=9 lag=0 last_contact_ms=0 resp= http=\n' +
        'id=node-2 addr=127.0.0.1:7001 suffrage=voter change= leader=0 replication=replicate match=6 lag=3 last_contact_ms=12 resp= http=\n',
    )
    expect(status).toContain('raft_configuration:simple\r\n')
    expect(await runner.ask('RAFT', 'HELP')).toContain('+ADD id host:port [LEARNER]\r\n')
  })

  it('shows who leaves in a joint change, where it is, and what the leader sends to it', async () => {
    const members = [{ id: 'node-1', address: 'h:1', suffrage: 'voter' as const }]
    const votersOutgoing = [...members, { id: 'node-2', address: 'h:2', suffrage: 'voter' as const }]
    const peers = [{ ...STATUS.peers[0], state: 'snapshot' as const, matchIndex: 0 }]
    const changing = new CommandRunner({ ...STATUS, configuration: { members, votersOutgoing }, peers })
    expect(await changing.ask('RAFT', 'STATUS')).toContain('raft_configuration:joint\r\n')
    expect(changing.send('INFO', 'raft')).toContain('raft_peer0:id=node-2,addr=h:2,state=snapshot,match=0,')
    expect(await changing.ask('RAFT', 'NODES')).toContain(
      'id=node-2 addr=h:2 suffrage=voter change=leaving leader=0 replication=snapshot match=0 lag=9 ',
    )
  })

  it('BGSAVE answers at once, one at a time, and LASTSAVE tells when it is done', async () => {
    let open = (): void => {}
    node.gate = new Promise((resolve) => (open = resolve))
    expect(runner.send('BGSAVE')).toBe('+Background saving started\r\n')
    expect(runner.send('BGSAVE', 'SCHEDULE')).toBe('-ERR Background save already in progress\r\n')
    expect(runner.send('INFO', 'persistence')).toContain('rdb_bgsave_in_progress:1')
    open()
    await node.gate
    await Promise.resolve()
    while (node.admin.isSaving) await Promise.resolve()
    expect(runner.send('INFO', 'persistence')).toContain(`rdb_last_save_time:${node.admin.lastSaveAt}\r\n`)
    expect(runner.send('LASTSAVE')).toBe(`:${node.admin.lastSaveAt}\r\n`)
  })
})

describe('INFO while the membership changes', () => {
  const member = (id: string, suffrage: 'voter' | 'learner') => ({ id, address: `${id}:1`, suffrage })

  it('counts everybody who has a vote, on either side of a joint configuration', () => {
    const configuration = {
      members: [member('a', 'voter'), member('b', 'voter'), member('c', 'learner'), member('d', 'learner')],
      votersOutgoing: [member('a', 'voter'), member('c', 'voter'), member('e', 'voter')],
    }
    const raft = new CommandRunner({ ...STATUS, configuration }).send('INFO', 'raft')
    expect(raft).toContain('raft_voters:4\r\nraft_learners:1\r\n')
  })
})
