// The same for longer: `node test/integration/session-kill/main.mjs [SECONDS]`, on a built package. Exit code 0 only if every
// acknowledged increment was counted once, and nothing else was.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './cluster.mjs'

const seconds = Number(process.argv[2] ?? 120)
const directory = await mkdtemp(join(tmpdir(), 'helios-sessions-'))
try {
  const onProgress = ({ kills, acknowledged }) => {
    if (kills % 5 === 0) console.log(`${kills} leaders killed, ${acknowledged} increments acknowledged`)
  }
  const { acknowledged, attempts, kills, values } = await run({ directory, seconds, onProgress })
  const isRight = values.every((value) => value === acknowledged)
  console.log(
    `seconds=${seconds} kills=${kills} attempts=${attempts} acknowledged=${acknowledged} counted=${values.join('/')}`,
  )
  process.exitCode = isRight ? 0 : 1
} finally {
  await rm(directory, { recursive: true, force: true })
}
