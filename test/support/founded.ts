// Options of a node whose log begins behind the configuration of these voters, for tests that are about something else than
// how a cluster is founded: those found one.
import { bootstrapConfiguration } from '../../src/core/configuration.js'
import { INTERNALS } from '../../src/node/internals.js'

/** To be spread into the options. The members of `a` are at `a:1`. */
export function founded(...ids: readonly string[]): object {
  return { [INTERNALS]: { founding: bootstrapConfiguration(ids.map((id) => ({ id, address: `${id}:1` }))) } }
}
