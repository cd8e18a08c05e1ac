import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

// Everything but the package tests runs on the sources, so that a mutant of src is what runs.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    dangerouslyIgnoreUnhandledErrors: false,
  },
  resolve: {
    alias: [
      { find: /^helios-raft$/, replacement: source('index.ts') },
      { find: /^helios-raft\/core$/, replacement: source('core/index.ts') },
      { find: /^helios-raft\/level$/, replacement: source('stores/level/index.ts') },
      { find: /^helios-raft\/files$/, replacement: source('stores/files/index.ts') },
      { find: /^helios-raft\/tcp$/, replacement: source('transports/tcp/index.ts') },
      { find: /^helios-raft\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
})
