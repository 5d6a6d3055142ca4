import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** What all tests share, a Temporal server and a PostgreSQL, comes up once per run. */
const globalSetup = ['test/support/global-setup.ts'].filter((file) => existsSync(new URL(file, import.meta.url)));

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup,
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    // A test that nobody awaited, or an error that nobody saw, fails the run.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
