// What CONFIG GET shows: the settings of Redis that clients and redis-benchmark ask for, with the values that are true
// here. Nothing can be set by it.
import { COMMAND_BYTES, IDLE_MS, MAX_CONNECTIONS } from './limits.js'
import type { RespHost } from './session.js'

/** Those whose names match one of the patterns (`*` and `?`), each once. */
export function matchingSettings(patterns: readonly string[], host: RespHost): (readonly [string, string])[] {
  const matchers = patterns.map((pattern) => globMatcher(pattern.toLowerCase()))
  return settings(host).filter(([name]) => matchers.some((matches) => matches(name)))
}

function settings(host: RespHost): readonly (readonly [string, string])[] {
  return [
    ['appendfsync', 'always'],
    ['appendonly', 'yes'],
    ['databases', '1'],
    ['maxclients', String(MAX_CONNECTIONS)],
    ['maxmemory', '0'],
    ['maxmemory-policy', 'noeviction'],
    ['port', String(host.settings.port)],
    ['proto-max-bulk-len', String(COMMAND_BYTES)],
    ['save', ''],
    ['timeout', String(IDLE_MS / 1000)],
  ]
}

/** Linear in the length of the name for each star, so that no pattern of a client's costs more. */
function globMatcher(pattern: string): (name: string) => boolean {
  return (name) => {
    let at = 0
    let within = 0
    let star = -1
    let resume = 0
    while (at < name.length) {
      if (pattern[within] === '*') {
        star = within++
        resume = at
      } else if (pattern[within] === '?' || pattern[within] === name[at]) {
        within += 1
        at += 1
      } else if (star >= 0) {
        within = star + 1
        at = ++resume
      } else {
        return false
      }
    }
    while (pattern[within] === '*') within += 1
    return within === pattern.length
  }
}
