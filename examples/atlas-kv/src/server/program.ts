// The life of a process around a server: exit codes, signals, the end of the parent. 2 for wrong usage, 1 for what
// failed, 0 after a signal; a second signal ends at once (atlas.md §6).
import type { Logger } from 'helios-raft'
import { UsageError } from '../config/usage-error.js'
import { escaped } from '../log/text-logger.js'

/** A shutdown that takes longer is ended. */
const SHUTDOWN_MS = 4_500

export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}

/** Ends the process with an error: one line on standard error. Status 2 for a UsageError, else 1. */
export function exitWith(name: string, error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${name}: ${escaped(message)}\n`)
  process.exit(error instanceof UsageError ? 2 : 1)
}

/**
 * Runs a service until a signal, or until the parent that holds our channel is gone. Ends the process.
 * @param create - makes the service; `fail` ends it and the process with status 1
 */
export async function runService(
  name: string,
  logger: Logger,
  create: (fail: (error: unknown) => void) => Service,
): Promise<void> {
  let service: Service | null = null
  let ending = false
  const end = (status: number): void => {
    ending = true
    const timer = setTimeout(() => exitWith(name, new Error(`not closed within ${SHUTDOWN_MS} ms`)), SHUTDOWN_MS)
    const stopped = service?.stop() ?? Promise.resolve()
    stopped.then(
      () => {
        clearTimeout(timer)
        logger.info({}, 'Shutdown complete')
        process.exit(status)
      },
      (error: unknown) => exitWith(name, error),
    )
  }
  const onSignal = (): void => {
    if (ending) process.exit(1)
    logger.info({}, 'Shutting down...')
    end(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  process.on('disconnect', () => {
    // The parent is gone, or says by this that it ends. Not a second signal: a terminal tells both of us.
    if (!ending) onSignal()
  })
  // A reader of our lines that went away must not end us.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  try {
    service = create((error) => {
      if (ending) return
      process.stderr.write(`${name}: ${escaped(error instanceof Error ? error.message : String(error))}\n`)
      end(1)
    })
    await service.start()
  } catch (error) {
    if (!ending) exitWith(name, error)
  }
}
