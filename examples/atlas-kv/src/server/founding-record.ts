// How this node came into its cluster, kept beside its data: the list that it was founded with, or that it joined. From then
// on the membership stands in the log, and peers of a command line that was edited since change nothing (F26).
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../config/usage-error.js'
import type { Peer } from '../config/values.js'

const NAME = 'founding.json'
const OWNER_ONLY = 0o600

/** The founders, this node among them; null for a node that joined. */
export type Founding = readonly Peer[] | null

/** Undefined before the node has been in a cluster. Throws StartError for a file that can't be read. */
export function readFounding(dataDirectory: string): Founding | undefined {
  const path = join(dataDirectory, NAME)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // Whatever else is wrong with the directory is told when it is made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(path, error)
  }
  try {
    const { founders } = JSON.parse(text) as { readonly founders?: unknown }
    if (founders === null) return null
    if (Array.isArray(founders) && founders.every(isPeer)) return founders
  } catch (error) {
    throw unreadable(path, error)
  }
  throw unreadable(path, undefined)
}

/** Replaces the record as a whole. */
export async function writeFounding(dataDirectory: string, founders: Founding): Promise<void> {
  const path = join(dataDirectory, NAME)
  await writeFile(`${path}.tmp`, `${JSON.stringify({ founders })}\n`, { mode: OWNER_ONLY })
  await rename(`${path}.tmp`, path)
}

function isPeer(value: unknown): value is Peer {
  if (typeof value !== 'object' || value === null) return false
  const { id, address } = value as Partial<Record<keyof Peer, unknown>>
  return typeof id === 'string' && typeof address === 'string'
}

function unreadable(path: string, cause: unknown): StartError {
  return new StartError(
    `cannot read ${JSON.stringify(path)}, which tells how this node came into its cluster: remove it, and start with the flags of the first start`,
    { cause },
  )
}
