// Runs the tests that judge mutants, and nothing else: every.mjs names them.
import base from '../../vitest.config.ts'

export default { ...base, test: { ...base.test, include: ['test/mutation/every.mjs'] } }
