// Which links are cut where a cluster is to hang together by threads (H14): pure lists, from an order that somebody drew.
import type { NodeId } from '../core/types.js'

/** A link in one direction. */
export interface Link {
  readonly from: NodeId
  readonly to: NodeId
}

/** Two halves that only the first node can see: the links between them. */
export function bridgeCuts([, ...rest]: readonly NodeId[]): readonly Link[] {
  const half = rest.length >> 1
  return rest.slice(0, half).flatMap((one) =>
    rest.slice(half).flatMap((other) => [
      { from: one, to: other },
      { from: other, to: one },
    ]),
  )
}

/** Each node sees two neighbours only: all other links. */
export function ringCuts(ids: readonly NodeId[]): readonly Link[] {
  return ids.flatMap((from, at) =>
    ids.flatMap((to, place) => {
      const distance = Math.abs(at - place)
      return distance > 1 && distance < ids.length - 1 ? [{ from, to }] : []
    }),
  )
}
