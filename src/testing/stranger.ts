// Somebody who has no business here knocks at a node (H47, H95): a peer of another cluster at a reused address, a second
// node of the same name, a version nobody speaks. The node must refuse the hello, and for the right reason.
import { decodeHello, encodeHello, type Hello } from '../codec/hello.js'
import { isRaftError, type RaftErrorCode } from '../errors.js'
import type { Coverage } from './coverage.js'
import type { Invariants } from './invariants.js'
import type { SimulationRandom } from './prng.js'
import type { VirtualTransport } from './virtual-network.js'

interface Disguise {
  readonly name: string
  /** What the stranger says of itself, beside what a true peer says. */
  readonly claim: Partial<Hello>
  readonly code: RaftErrorCode
}

const DISGUISES: readonly Disguise[] = [
  { name: 'otherCluster', claim: { clusterId: 'another-cluster' }, code: 'RAFT_IDENTITY' },
  { name: 'otherVersion', claim: { minVersion: 60_000, maxVersion: 60_000 }, code: 'RAFT_VERSION' },
]

/** Knocks at `target` with the hello of `peer`, disguised. */
export function knock(
  { target, peer }: { readonly target: VirtualTransport; readonly peer: VirtualTransport },
  world: { readonly coverage: Coverage; readonly invariants: Invariants; readonly random: SimulationRandom },
): void {
  const { coverage, invariants, random } = world
  const honest = peer.local?.hello.slice()
  if (honest === undefined || target.local === null || target.gate.isPaused) return
  const { name, claim, code } = random.pick(DISGUISES)
  const hello = encodeHello({ ...decodeHello(honest), ...claim })
  coverage.count(`fault.stranger.${name}`)
  try {
    target.local.accept(hello)
  } catch (error) {
    if (isRaftError(error, code)) return
    return invariants.fail(
      'hello',
      `${target.id} refused a stranger (${name}) with ${String(error)} instead of ${code} (F33)`,
    )
  }
  invariants.fail('hello', `${target.id} let a stranger in (${name}, F33)`)
}
