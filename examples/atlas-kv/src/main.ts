// helios-atlasd: one server from flags and environment.
import { atlasHelp, resolveAtlasOptions } from './config/options.js'
import { textLogger } from './log/text-logger.js'
import { AtlasServer } from './server/atlas-server.js'
import { exitWith, runService } from './server/program.js'
import { VERSION } from './server/version.js'

const NAME = 'helios-atlasd'

async function main(): Promise<void> {
  const options = resolveAtlasOptions(process.argv.slice(2), process.env)
  if (options === 'help') return void process.stdout.write(atlasHelp())
  if (options === 'version') return void process.stdout.write(`${NAME} ${VERSION}\n`)
  const level = options.logLevel
  const logger = textLogger({ level, source: 'atlas' })
  const raftLogger = textLogger({ level, source: 'raft' })
  await runService(NAME, logger, (fail) => new AtlasServer({ options, logger, raftLogger, onFatal: fail }))
}

main().catch((error: unknown) => exitWith(NAME, error))
