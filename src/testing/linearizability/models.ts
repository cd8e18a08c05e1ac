// The models that come with the checker, by name.
import { knowingOnly } from './known-operations.js'
import { cas } from './models/cas.js'
import { counter } from './models/counter.js'
import { kv } from './models/kv.js'
import { listAppend } from './models/list-append.js'
import { lock } from './models/lock.js'
import { register } from './models/register.js'
import { ttlKv } from './models/ttl-kv.js'

interface Models {
  readonly register: typeof register
  readonly cas: typeof cas
  readonly kv: typeof kv
  readonly ttlKv: typeof ttlKv
  readonly counter: typeof counter
  readonly listAppend: typeof listAppend
  readonly lock: typeof lock
}

/** Sequential objects to check histories against. Each function documents what its inputs and outputs mean. */
export const models: Models = {
  register: knowingOnly(['read', 'write'], register),
  cas: knowingOnly(['read', 'write', 'cas'], cas),
  kv: knowingOnly(['get', 'set', 'del', 'cas', 'add'], kv),
  ttlKv: knowingOnly(['get', 'set', 'del'], ttlKv),
  counter: knowingOnly(['read', 'add'], counter),
  listAppend: knowingOnly(['append', 'read'], listAppend),
  lock: knowingOnly(['acquire', 'release'], lock),
}
