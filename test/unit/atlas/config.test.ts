// The settings of helios-atlasd: flags in both manners, environment, defaults, and what is refused.
import { describe, expect, it } from 'vitest'
import { resolveAtlasOptions } from '../../../examples/atlas-kv/src/config/options.js'
import { UsageError } from '../../../examples/atlas-kv/src/config/usage-error.js'
import { parseDuration } from '../../../examples/atlas-kv/src/config/values.js'

const resolve = (line: string, environment: Record<string, string> = {}) => {
  const options = resolveAtlasOptions(line === '' ? [] : line.split(' '), environment)
  if (typeof options === 'string') throw new Error(options)
  return options
}

describe('resolveAtlasOptions', () => {
  it('runs alone on loopback without any flag', () => {
    const options = resolve('')
    expect(options).toMatchObject({
      nodeId: 'node-1',
      dataDirectory: './data',
      raftDirectory: 'data/raft',
      resp: { host: '127.0.0.1', port: 6379 },
      raft: { host: '127.0.0.1', port: 7000 },
      http: null,
      peers: [],
      electionTimeoutMs: 500,
      heartbeatIntervalMs: 100,
      readConsistency: 'linearizable',
      followerWrites: 'forward',
      warnings: [],
    })
    expect(Object.isFrozen(options)).toBe(true)
  })

  it('takes one dash or two, =value or value, and bare booleans', () => {
    const peers = [{ id: 'node-2', address: '127.0.0.1:7001' }]
    for (const line of [
      '-listen 127.0.0.1:1 -raft -raft-node-id n1 -raft-peers node-2:127.0.0.1:7001 -insecure',
      '--listen=127.0.0.1:1 --raft=true --raft-node-id=n1 --raft-peers=node-2:127.0.0.1:7001 --insecure=true',
      '--listen 127.0.0.1:1 -raft true --raft-node-id n1 -raft-peers=node-2:127.0.0.1:7001 --insecure true',
    ]) {
      expect(resolve(line)).toMatchObject({ resp: { port: 1 }, nodeId: 'n1', peers, insecure: true })
    }
  })

  it('reads HELIOS_RAFT_PEERS, below the flag, and splits at the first colon', () => {
    const environment = { HELIOS_RAFT_PEERS: 'node-2:[::1]:7001, node-3:host.example:7002' }
    expect(resolve('--raft-node-id n1', environment).peers).toEqual([
      { id: 'node-2', address: '[::1]:7001' },
      { id: 'node-3', address: 'host.example:7002' },
    ])
    expect(resolve('--raft-node-id n1 --raft-peers a:b:1', environment).peers).toEqual([{ id: 'a', address: 'b:1' }])
    expect(resolve('--raft=false', environment).peers).toEqual([])
  })

  it('leaves out the own entry of a list that all nodes share', () => {
    const line = '--raft-node-id n1 --raft-addr 127.0.0.1:7000 --raft-peers n1:127.0.0.1:7000,n2:127.0.0.1:7001'
    expect(resolve(line).peers).toEqual([{ id: 'n2', address: '127.0.0.1:7001' }])
  })

  it('warns about addresses that the network can reach', () => {
    expect(resolve('-listen :6379').warnings).toEqual([
      '--listen :6379 is open to all interfaces without password or encryption',
    ])
    expect(resolve('--http 10.0.0.1:80').warnings[0]).toContain('open to the network')
  })

  it.each([
    ['--lisen :1', 'unknown flag --lisen: did you mean --listen?'],
    ['--frobnicate', 'unknown flag --frobnicate: see --help for the flags'],
    ['--listen', '--listen needs a value: --listen HOST:PORT'],
    ['--listen --raft', '--listen needs a value: --listen HOST:PORT'],
    ['--listen= --raft', '--listen needs a value: --listen HOST:PORT'],
    ['--raft=maybe', '--raft="maybe" is neither true nor false'],
    ['--listen :1 -listen :2', '--listen is given twice: keep one of them'],
    ['start', 'unexpected argument "start": every setting is a flag (see --help)'],
    ['--listen 6379', '--listen is "6379", but HOST:PORT is needed, e.g. 127.0.0.1:6379 or [::1]:6379'],
    ['--listen :65536', /but HOST:PORT is needed/],
    ['--election-timeout 5', /but a duration like 500ms/],
    ['--election-timeout 0ms', /but a duration like 500ms/],
    ['--election-timeout 299ms', '--election-timeout 299ms is less than three times --heartbeat-interval 100ms'],
    ['--read-consistency eventual', '"eventual", but it must be one of linearizable, lease, local'],
    ['--follower-writes maybe', 'must be one of forward, reject, moved'],
    ['--log-level loud', 'must be one of debug, info, warn, error'],
    ['--raft-node-id a/b', 'but an id of 1 to 64 letters'],
    ['--raft-peers n2:127.0.0.1:1', '--raft-peers names other nodes, so this one needs a name of its own'],
    ['--raft-node-id n1 --raft-peers n2', '--raft-peers holds "n2", but ID:HOST:PORT is needed'],
    ['--raft-node-id n1 --raft-peers n2:host', 'the address of n2 in --raft-peers is "host"'],
    ['--raft-node-id n1 --raft-peers n2::7001', 'gives n2 no host'],
    ['--raft-node-id n1 --raft-peers n2:h:0', 'gives n2 port 0'],
    ['--raft-node-id n1 --raft-peers n2:h:1,n2:h:2', 'lists n2 twice'],
    ['--raft-node-id n1 --raft-peers n1:h:1', 'lists this node, n1, at h:1, but --raft-addr says 127.0.0.1:7000'],
    ['--raft-node-id n1 --raft-peers n2:127.0.0.1:7000', "which is this node's own --raft-addr"],
    ['--raft=false --raft-peers n2:h:1', '--raft=false runs a single node, but --raft-peers names others'],
    ['--raft-join 127.0.0.1:8080', '--raft-join needs a name for this node'],
    ['--raft-node-id n4 --raft-join 8080', '--raft-join is "8080", but HOST:PORT is needed'],
    ['--raft-node-id n4 --raft-join :8080', 'but the address of another node is needed'],
    [
      '--raft-node-id n4 --raft-join h:1 --raft-peers n2:h:2',
      '--raft-peers founds a cluster and --raft-join joins one',
    ],
    ['--raft=false --raft-node-id n4 --raft-join h:1', '--raft=false runs a single node, but --raft-join'],
    ['--raft-node-id n4 --raft-join h:1 --raft-addr 0.0.0.0:7000 --insecure', "0.0.0.0:7000 can't be dialled"],
    ['--raft-addr 0.0.0.0:7000', 'is open to the network without encryption'],
  ])('refuses %j', (line, message) => {
    expect(() => resolve(line)).toThrow(UsageError)
    expect(() => resolve(line)).toThrow(message)
  })

  it('takes one or more members to join, with or without a scheme', () => {
    expect(resolve('--raft-node-id n4 --raft-join http://h:8080,redis://[::1]:6379,i:1').join).toEqual([
      { host: 'h', port: 8080 },
      { host: '::1', port: 6379 },
      { host: 'i', port: 1 },
    ])
  })

  it('takes an election timeout of exactly three heartbeats', () => {
    expect(resolve('--election-timeout 300ms').electionTimeoutMs).toBe(300)
  })

  it('allows an open Raft port when told to', () => {
    expect(resolve('--raft-addr 0.0.0.0:7000 --insecure').warnings[0]).toContain('--raft-addr 0.0.0.0:7000')
  })
})

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '5', 'm', '-1s', '1 s', '1s ', '1y', '1e3ms', '99999999999999999d'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeNull(),
  )
})
