import type { Model } from '../../../../src/testing/model-checker/model.js'
import { COMMON } from '../../../../src/testing/model-checker/models.js'

/** Three voters, one term, nothing else. */
export const SMALL: Model = { ...COMMON, name: 'small', description: 'for tests', maxTerm: 1, maxStates: 1_000_000 }
