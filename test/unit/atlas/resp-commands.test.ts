// Replies of the commands that no other server can judge, and the encoder in both protocols.
import { describe, expect, it } from 'vitest'
import { hashSlot } from '../../../examples/atlas-kv/src/resp/hash-slot.js'
import { ReplyTooLarge, ReplyWriter } from '../../../examples/atlas-kv/src/resp/reply-writer.js'
import { CommandRunner, STATUS } from './resp-commands.js'

describe('ReplyWriter', () => {
  const written = (protocol: 2 | 3, write: (writer: ReplyWriter) => void): string => {
    const writer = new ReplyWriter()
    writer.protocol = protocol
    write(writer)
    return writer.take().toString('latin1')
  }

  it('spells nulls, maps, sets and texts as each protocol wants them', () => {
    const all = (writer: ReplyWriter): void => {
      writer.null()
      writer.map(1)
      writer.set(2)
      writer.verbatim('x')
      writer.integer(2n ** 62n)
    }
    expect(written(2, all)).toBe('$-1\r\n*2\r\n*2\r\n$1\r\nx\r\n:4611686018427387904\r\n')
    expect(written(3, all)).toBe('_\r\n%1\r\n~2\r\n=5\r\ntxt:x\r\n:4611686018427387904\r\n')
  })

  it('keeps an error on one line, whatever it quotes', () => {
    expect(written(2, (writer) => writer.error('ERR a\r\n+OK'))).toBe('-ERR a  +OK\r\n')
  })

  it('grows up to its bound and throws beyond', () => {
    const writer = new ReplyWriter(4_096)
    writer.bulk(new Uint8Array(4_096 - '$4087\r\n\r\n'.length))
    expect(writer.length).toBe(4_096)
    expect(() => writer.simple('')).toThrow(ReplyTooLarge)
  })
})

describe('connection commands', () => {
  it('HELLO 3 switches the protocol and answers in it, HELLO 4 is refused', async () => {
    const runner = new CommandRunner()
    expect(runner.send('HELLO', '4')).toBe('-NOPROTO unsupported protocol version\r\n')
    expect(runner.send('HELLO', '3', 'SETNAME', 'app')).toMatch(/^%7\r\n.*proto\r\n:3\r\n/s)
    expect(runner.send('CLIENT', 'GETNAME')).toBe('$3\r\napp\r\n')
    expect(runner.send('GET', 'nothing')).toBe('_\r\n')
    expect(await runner.ask('RESET')).toBe('+RESET\r\n')
    expect(runner.send('GET', 'nothing')).toBe('$-1\r\n')
  })

  it('refuses AUTH with the text of a server without passwords, also within HELLO', () => {
    const runner = new CommandRunner()
    expect(runner.send('AUTH', 'x')).toMatch(/^-ERR AUTH <password> called without any password configured/)
    expect(runner.send('HELLO', '3', 'AUTH', 'default', 'x')).toMatch(/^-ERR AUTH <password> called without/)
    expect(runner.session.protocol).toBe(2)
  })

  it('CONFIG GET answers what redis-benchmark asks, and stars', () => {
    const runner = new CommandRunner()
    expect(runner.send('CONFIG', 'GET', 'save')).toBe('*2\r\n$4\r\nsave\r\n$0\r\n\r\n')
    expect(runner.send('CONFIG', 'GET', 'append*')).toContain('appendonly\r\n$3\r\nyes')
    expect(runner.send('CONFIG', 'GET', 'a*a*a*a*a*b')).toBe('*0\r\n')
    expect(runner.send('CONFIG', 'SET', 'save', '')).toMatch(/^-ERR unknown subcommand 'SET'/)
  })

  it('COMMAND counts and describes all commands', () => {
    const runner = new CommandRunner()
    const count = Number(/^:(\d+)/.exec(runner.send('COMMAND', 'COUNT'))?.[1])
    expect(runner.send('COMMAND').startsWith(`*${count}\r\n`)).toBe(true)
    expect(runner.send('COMMAND', 'INFO', 'get', 'nope')).toMatch(/^\*2\r\n\*6\r\n\$3\r\nget\r\n:2\r\n.*\$-1\r\n$/s)
    expect(runner.send('COMMAND', 'DOCS')).toBe('*0\r\n')
  })

  it('keeps a line of CLIENT LIST a line', () => {
    const runner = new CommandRunner()
    expect(runner.send('CLIENT', 'SETNAME', 'a\nid=1')).toMatch(/^-ERR Client names cannot contain/)
    expect(runner.send('CLIENT', 'SETINFO', 'LIB-NAME', 'a b')).toMatch(/^-ERR lib-name cannot contain/)
    runner.send('CLIENT', 'SETNAME', 'app')
    expect(runner.send('CLIENT', 'LIST')).toContain('id=7 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 name=app age=5 ')
  })
})

describe('INFO', () => {
  it('shows every section by default, with the keys of Raft', () => {
    const text = new CommandRunner().send('INFO')
    for (const title of ['Server', 'Clients', 'Memory', 'Persistence', 'Stats', 'Replication', 'Keyspace', 'Raft']) {
      expect(text).toContain(`# ${title}\r\n`)
    }
    expect(text.slice(text.indexOf('# Raft')).split('\r\n').slice(1, -2)).toEqual([
      'raft_enabled:1',
      'raft_node_id:node-1',
      'raft_state:Leader',
      'raft_leader:node-1',
      'raft_leader_addr:127.0.0.1:7000',
      'raft_term:3',
      'raft_commit_index:8',
      'raft_last_applied:7',
      'raft_last_log_index:9',
      'raft_snapshot_index:0',
      'raft_voters:2',
      'raft_learners:0',
      'raft_quorum_ok:1',
      'raft_last_contact_ms:0',
      'raft_read_consistency:linearizable',
      'raft_durability:every',
      'raft_cluster_id:cluster',
      'raft_pending_proposals:2',
      'raft_peer0:id=node-2,addr=127.0.0.1:7001,state=replicate,match=6,lag=3,last_contact_ms=12',
    ])
  })

  it('shows the sections that were asked for, and a follower without a leader as one', () => {
    const runner = new CommandRunner({ ...STATUS, role: 'preCandidate', leader: null, peers: [], quorumOk: false })
    const text = runner.send('INFO', 'RAFT', 'replication', 'nonsense')
    expect(text).toContain('raft_state:Candidate\r\nraft_leader:\r\nraft_leader_addr:\r\n')
    expect(text).toContain('role:slave\r\nmaster_host:\r\nmaster_port:\r\nmaster_link_status:down\r\n')
    expect(text).not.toContain('# Server')
  })

  it('counts keys as Redis does', () => {
    const runner = new CommandRunner()
    expect(runner.send('INFO', 'keyspace')).not.toContain('db0')
    runner.send('MSET', 'a', '1', 'b', '2')
    runner.send('EXPIRE', 'a', '100')
    expect(runner.send('INFO', 'keyspace')).toContain('db0:keys=2,expires=1,avg_ttl=0')
  })
})

describe('hashSlot', () => {
  it('is the slot of Redis Cluster', () => {
    expect(hashSlot('123456789')).toBe(12_739)
    expect(hashSlot('foo')).toBe(12_182)
    expect(hashSlot('{foo}bar')).toBe(12_182)
    expect(hashSlot('{}foo')).toBe(hashSlot('{}foo'))
    expect(hashSlot('')).toBe(0)
  })
})
