import base from './vitest.config.ts';

/** Every case of the harness, step by step: `npm run test:harness`. `npm test` has one of each kind. */
export default { test: { ...base.test, include: ['test/harness/every/**/*.test.ts'], exclude: [] } };
