// Which build of the core this is: a digest over its files as they lie here. A core that was built of other sources may take
// other steps at the same events, even under the same version.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

let digest: string | undefined

/** 16 hexadecimal digits; the same for the same files. */
export function coreBuild(): string {
  digest ??= digestOf(fileURLToPath(new URL('../../core/', import.meta.url)))
  return digest
}

/** Of the modules in a directory, whatever lies beside them. */
export function digestOf(directory: string): string {
  const hash = createHash('sha256')
  const names = readdirSync(directory).filter((name) => /(?<!\.d)\.[jt]s$/.test(name))
  for (const name of names.sort())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(directory, name)))
      .update('\0')
  return hash.digest('hex').slice(0, 16)
}
