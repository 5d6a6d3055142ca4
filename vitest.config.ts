import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { pooled } from './test/support/pooled.ts';
import { postgres15 } from './test/support/postgres-15.ts';

/** What all tests share, a Temporal server and a PostgreSQL, comes up once per run. */
const globalSetup = ['test/support/global-setup.ts'].filter((file) => existsSync(new URL(file, import.meta.url)));

/** Where PostgreSQL 15 or PgBouncer is missing these, which are about nothing else, are left out; `npm test` says what is missing. */
const needs15 = ['test/activities/postgres/copy-schema.test.ts', 'test/activities/postgres/copy-schema-as-owner.test.ts'];
const needsPgBouncer = ['test/activities/pooling/try-alias.test.ts'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By configurations of their own: vitest.harness.config.ts, vitest.runs.config.ts.
    exclude: ['test/harness/every/**', 'test/runs/**', ...(postgres15 === undefined ? needs15 : []), ...(pooled ? [] : needsPgBouncer)],
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
