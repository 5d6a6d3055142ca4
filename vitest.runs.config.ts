import base from './vitest.config.ts';

/** Complete runs that take long, and repetitions of one proof for each runbook: `npm run test:runs`, which `.ci/run` runs. */
export default { test: { ...base.test, include: ['test/runs/**/*.test.ts'], exclude: [] } };
