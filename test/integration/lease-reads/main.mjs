// Reads by lease while leaders and voters are stopped, suspended, killed and reconfigured: `node
// test/integration/lease-reads/main.mjs [SECONDS]`, on a built package. Exit code 0 only if no read was stale, some were
// answered without a round, and each call was settled.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.mjs'

const directory = await mkdtemp(join(tmpdir(), 'helios-leases-'))
try {
  const onFault = ({ round, name, seconds, reads, leaseReads, writes }) =>
    console.log(`${seconds} s, round ${round}, ${name}: reads=${reads} leaseReads=${leaseReads} writes=${writes}`)
  const result = await run({ directory, seconds: Number(process.argv[2] ?? 120), onFault })
  const { codes, text, ...counts } = result
  if (text !== null) console.log(text)
  console.log(`failed calls: ${JSON.stringify(codes)}`)
  const names = ['seconds', 'reads', 'leaseReads', 'followerReads', 'localReads', 'writes', 'unknownWrites', 'stops']
  names.push('suspends', 'takeovers', 'kills', 'reconfigurations', 'transfers', 'unsettled', 'verdict')
  console.log(names.map((name) => `${name}=${counts[name]}`).join(' '))
  process.exitCode = result.verdict === 'ok' && result.leaseReads > 0 && result.unsettled === 0 ? 0 : 1
} finally {
  await rm(directory, { recursive: true, force: true })
}
