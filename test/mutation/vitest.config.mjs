// The tests that judge the mutants of the core: unit, paper and script tests, those that run cores and not whole nodes.
// Long random runs are left out, as the simulator is: they would kill more and take hours. What they are worth is shown by
// the seeded bugs.
import base from '../../vitest.config.ts'

export default {
  ...base,
  test: {
    ...base.test,
    include: ['test/unit/core/**/*.test.ts', 'test/paper/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
    exclude: ['test/unit/core/schedules.test.ts', 'test/scenarios/parity.test.ts', 'test/scenarios/**/nodes.test.ts'],
  },
}
