import base from './vitest.config.ts';

/** Records the histories anew: `npm run histories`. */
export default { test: { ...base.test, include: ['test/histories/record*.ts'], exclude: [] } };
