// The command line of atlasctl: what it makes of words and flags, and what it says of wrong ones.
import { describe, expect, it } from 'vitest'
import { atlasctlHelp, resolveAtlasctlOptions } from '../../../examples/atlas-kv/src/config/atlasctl-options.js'
import { UsageError } from '../../../examples/atlas-kv/src/config/usage-error.js'

describe('the command line of atlasctl', () => {
  it('takes the file and the flags in any order', () => {
    const backup = { command: 'backup', file: 'f', node: { host: 'h', port: 1 }, force: true }
    expect(resolveAtlasctlOptions(['backup', 'f', '--addr', 'h:1', '--force'])).toEqual(backup)
    expect(resolveAtlasctlOptions(['backup', '--force', '-addr=h:1', 'f'])).toEqual(backup)
    expect(resolveAtlasctlOptions(['backup', 'f'])).toMatchObject({
      node: { host: '127.0.0.1', port: 8080 },
      force: false,
    })
    expect(resolveAtlasctlOptions(['restore', 'f', '--data-dir', 'd', '--node-id=n', '--raft-addr', ':7'])).toEqual({
      command: 'restore',
      file: 'f',
      dataDirectory: 'd',
      raftDirectory: 'd/raft',
      nodeId: 'n',
      raft: '0.0.0.0:7',
    })
  })

  it('takes the words that look after a cluster', () => {
    const node = { host: '127.0.0.1', port: 8080 }
    const cases: readonly (readonly [string, object])[] = [
      ['status', { command: 'status', node, watch: false }],
      ['status --watch --addr h:1', { command: 'status', node: { host: 'h', port: 1 }, watch: true }],
      ['members list', { command: 'members list', node }],
      ['members add n4 h:2', { command: 'members add', node, id: 'n4', address: 'h:2', suffrage: 'voter' }],
      ['members --learner add n4 h:2', { command: 'members add', node, id: 'n4', address: 'h:2', suffrage: 'learner' }],
      ['members remove n4', { command: 'members remove', node, id: 'n4', force: false }],
      ['members remove n4 --force', { command: 'members remove', node, id: 'n4', force: true }],
      ['members update n4 h:2', { command: 'members update', node, id: 'n4', address: 'h:2' }],
      ['members promote n4', { command: 'members promote', node, id: 'n4' }],
      ['members demote n4', { command: 'members demote', node, id: 'n4' }],
      ['transfer-leader', { command: 'transfer-leader', node, id: null }],
      ['transfer-leader n2', { command: 'transfer-leader', node, id: 'n2' }],
      ['snapshot', { command: 'snapshot', node }],
    ]
    for (const [line, expected] of cases) expect(resolveAtlasctlOptions(line.split(' ')), line).toEqual(expected)
  })

  it('takes the survivor that a lost quorum leaves', () => {
    const line = 'recover --data-dir d --members n1=10.0.0.1:7000'
    const recover = {
      command: 'recover',
      dataDirectory: 'd',
      raftDirectory: 'd/raft',
      nodeId: 'n1',
      raft: '10.0.0.1:7000',
    }
    expect(resolveAtlasctlOptions(line.split(' '))).toEqual({ ...recover, dryRun: false })
    expect(resolveAtlasctlOptions([...line.split(' '), '--dry-run', '--raft-data-dir=r'])).toEqual({
      ...recover,
      raftDirectory: 'r',
      dryRun: true,
    })
  })

  it.each([
    ['recover --members n1=h:1', /recover needs --data-dir DIR, that of the survivor/],
    ['recover --data-dir d', /recover needs --members ID=HOST:PORT, the survivor/],
    ['recover --data-dir d --members n1', /--members "n1" is not ID=HOST:PORT, such as node-1=10.0.0.1:7000/],
    ['recover --data-dir d --members n1=h:1,n2=h:2', /names several: one survivor goes on/],
    ['recover --data-dir d --members n1=:7000', /names no host/],
    ['recover --data-dir d --members n1=h:0x', /--members/],
    ['recover --data-dir d --members n/1=h:1', /--members/],
    ['recover d --members n1=h:1', /unexpected argument "d"/],
    ['recover --data-dir d --members n1=h:1 --addr h:1', /unknown flag --addr/],
  ])('refuses %s', (line, message) => {
    const refused = () => resolveAtlasctlOptions(line.split(' '))
    expect(refused).toThrow(UsageError)
    expect(refused).toThrow(message)
  })

  it('explains itself, also beside a command', () => {
    for (const argv of [['--help'], ['backup', '--help']]) expect(resolveAtlasctlOptions(argv)).toBe('help')
    expect(resolveAtlasctlOptions(['--version'])).toBe('version')
    for (const word of [
      'backup FILE',
      'restore FILE',
      'recover',
      '--members',
      '--dry-run',
      '--addr',
      '--force',
      '--data-dir',
      '--node-id',
      '--raft-addr',
    ]) {
      expect(atlasctlHelp()).toContain(word)
    }
  })

  it.each([
    [[], 'a command is needed, such as atlasctl status (see --help)'],
    [['backip', 'f'], 'unknown command "backip": did you mean backup?'],
    [
      ['toString', 'f'],
      'unknown command "toString": there are backup, restore, recover, status, members, transfer-leader, snapshot',
    ],
    [['backup'], 'backup needs a file: atlasctl backup FILE'],
    [['backup', 'f', 'g'], 'unexpected argument "g": backup takes one file'],
    [['backup', 'f', '--data-dir', 'd'], 'unknown flag --data-dir: see --help for the flags'],
    [['backup', 'f', '--addr'], '--addr needs a value: --addr HOST:PORT'],
    [['status', 'x'], 'unexpected argument "x": atlasctl status [--watch]'],
    [['members'], 'members needs an action: list, add, update, remove, promote or demote'],
    [['members', 'drop', 'n'], 'unknown action "drop" of members: list, add, update, remove, promote or demote'],
    [['members', 'add', 'n4', 'h:1', '--force'], '--force belongs to members remove'],
    [['members', 'add', 'n4'], 'HOST:PORT is missing: atlasctl members add ID HOST:PORT [--learner]'],
    [['members', 'add', 'n4', 'h'], 'the address is "h", but HOST:PORT is needed, e.g. 127.0.0.1:6379 or [::1]:6379'],
    [['members', 'remove'], 'ID is missing: atlasctl members remove ID [--force]'],
    [['members', 'promote', 'a', 'b'], 'unexpected argument "b": atlasctl members promote ID'],
    [['members', 'remove', 'n4', '--learner'], '--learner belongs to members add'],
    [['transfer-leader', 'a', 'b'], 'unexpected argument "b": atlasctl transfer-leader [ID]'],
    [['restore', 'f'], 'restore needs --data-dir DIR: an empty directory for the new node'],
  ])('refuses %j', (argv, message) => {
    expect(() => resolveAtlasctlOptions(argv)).toThrow(new UsageError(message))
  })
})
