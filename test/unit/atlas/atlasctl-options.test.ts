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

  it('explains itself, also beside a command', () => {
    for (const argv of [['--help'], ['backup', '--help']]) expect(resolveAtlasctlOptions(argv)).toBe('help')
    expect(resolveAtlasctlOptions(['--version'])).toBe('version')
    for (const word of ['backup FILE', 'restore FILE', '--addr', '--force', '--data-dir', '--node-id', '--raft-addr']) {
      expect(atlasctlHelp()).toContain(word)
    }
  })

  it.each([
    [[], 'a command is needed: atlasctl backup FILE (see --help)'],
    [['backip', 'f'], 'unknown command "backip": did you mean backup?'],
    [['toString', 'f'], 'unknown command "toString": there are backup and restore'],
    [['backup'], 'backup needs a file: atlasctl backup FILE'],
    [['backup', 'f', 'g'], 'unexpected argument "g": backup takes one file'],
    [['backup', 'f', '--data-dir', 'd'], 'unknown flag --data-dir: see --help for the flags'],
    [['backup', 'f', '--addr'], '--addr needs a value: --addr HOST:PORT'],
    [['restore', 'f'], 'restore needs --data-dir DIR: an empty directory for the new node'],
  ])('refuses %j', (argv, message) => {
    expect(() => resolveAtlasctlOptions(argv)).toThrow(new UsageError(message))
  })
})
