// The model checker over the shipped core: what `helios-raft/testing` exports of it.
export { modelCheck, type ModelCheckFeature, type ModelCheckOptions } from './model-check.js'
export type { SearchResult as ModelCheckResult } from './search.js'
