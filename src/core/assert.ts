// The only way in which the core throws: a broken invariant is a programmer's error and must stop the node before it
// can lie to anybody.

/** A rule of the protocol was found broken inside this node. The driver turns it into RAFT_INVARIANT and stops. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

/** Stays on in production. @throws InvariantViolation when `condition` does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message)
}
