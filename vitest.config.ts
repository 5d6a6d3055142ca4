import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { postgres15 } from './test/support/postgres-15.ts';

/** What all tests share, a Temporal server and a PostgreSQL, comes up once per run. */
const globalSetup = ['test/support/global-setup.ts'].filter((file) => existsSync(new URL(file, import.meta.url)));

/** Where PostgreSQL 15 is missing these are left out; `npm test` says so. */
const needs15 = ['test/activities/postgres/copy-schema.test.ts'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: postgres15 === undefined ? needs15 : [],
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
