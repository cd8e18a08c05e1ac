// The replicated application: applies commands to KvState in log order and carries it through snapshots. It has no
// side effects, reads no clock but the entry's timestamp and throws for nothing that a client can send (H74, H75).
import type { ApplyContext, SnapshotContext, SnapshotMeta, StateMachine } from 'helios-raft'
import { isFailure, type KvCommand, type KvResult, type OnceResult } from './command.js'
import { KvState } from './kv-state.js'
import { captureSnapshot, restoreSnapshot } from './snapshot-format.js'

export class KvStateMachine implements StateMachine<KvCommand, KvResult> {
  #state = new KvState()

  /** The state after the last apply; another object after a restore. Read it between two applies (`node.read`). */
  get state(): KvState {
    return this.#state
  }

  readonly apply = (command: KvCommand, context: ApplyContext): KvResult => {
    const state = this.#state
    state.advance(context.timestamp)
    switch (command.type) {
      case 'once':
        return { digest: command.digest, result: briefly(this.apply(command.command, context)) }
      case 'set':
        return state.set(command, context.index)
      case 'delete':
        return command.keys.reduce((count, key) => count + (state.delete(key) ? 1 : 0), 0)
      case 'increment':
        return state.increment(command.key, command.by, context.index)
      case 'expire':
        return state.expire(command, context.index)
      case 'persist':
        return state.persist(command.key, context.index)
      case 'setMany':
        for (const [key, value] of command.pairs) {
          state.put(key, { value, expireAt: Number.POSITIVE_INFINITY, index: context.index })
        }
        return 'OK'
      case 'flush':
        state.flush()
        return 'OK'
      case 'tick':
        return 'OK'
    }
  }

  /** The state as of this call: the maps are copied at once (about 30 ms for a million keys), the entries never change. */
  snapshot(context: SnapshotContext): AsyncIterable<Uint8Array> {
    return captureSnapshot(this.#state, context.signal)
  }

  /** All or nothing: a second state is filled and checked before it takes the place of the first (H60). */
  async restore(chunks: AsyncIterable<Uint8Array>, _meta: SnapshotMeta): Promise<void> {
    this.#state = await restoreSnapshot(chunks)
  }
}

/** A value of up to a megabyte would stay in the session for a day. */
function briefly(result: KvResult): OnceResult['result'] {
  return result === null || typeof result === 'number' || isFailure(result) ? result : 'OK'
}
