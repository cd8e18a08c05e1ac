// The tests that judge the mutants of the core, as one file: their imports are loaded once a mutant and not once a file.
// Unit, paper and scenario tests that run cores and not whole nodes. Long random runs are left out, as the simulator is:
// they would kill more and take hours. What they are worth is shown by the seeded bugs.
import.meta.glob(
  [
    '../unit/core/**/*.test.ts',
    '../paper/**/*.test.ts',
    '../scenarios/**/*.test.ts',
    '!../unit/core/schedules.test.ts',
    '!../scenarios/parity.test.ts',
    '!../scenarios/**/nodes.test.ts',
    '!../scenarios/replication/proposals.test.ts',
  ],
  { eager: true },
)
