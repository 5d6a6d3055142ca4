import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Verification } from '../../../activities/recovery/contract.ts';
import { hydrate } from '../../../activities/recovery/hydrate.ts';
import type { Places } from '../../../activities/recovery/places.ts';
import { verify } from '../../../activities/recovery/verify.ts';
import { verificationSchema } from '../../../domain/verification.ts';
import { makeEveryKind } from '../../../sandbox/every-kind.ts';
import { createJournal } from '../../support/attempt.ts';
import { startPair, type LoggedCluster, type Pair } from '../support.ts';
import { recoveryBench, values, type RecoveryBench } from './bench.ts';

let pair: Pair;
let bench: RecoveryBench;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 18 });
  bench = await recoveryBench(pair, {});
  for (const client of [bench.restored, bench.live]) await makeEveryKind(client);
}, 60_000);
afterAll(async () => {
  await bench?.end();
  await pair?.stop();
});

interface Copy extends Places {
  readonly client: pg.Client;
}

/** One of the two servers as the restored copy. */
function copyOn(side: 'source' | 'target'): Copy {
  const { host, port, superuser, password }: LoggedCluster = pair[side];
  const secret = password === pair.source.password ? 'RESTORED' : 'LIVE';
  const restored = { host, port, user: superuser, secret: { env: secret } };
  return { servers: bench.servers, recovery: { database: 'orders', restored }, client: side === 'source' ? bench.restored : bench.live };
}

const verified = async ({ servers, recovery }: Copy): Promise<Verification> =>
  await verify({ servers, recovery, facts: { rules: verificationSchema.parse({}), target: null } }, createJournal().attempt('verify'));

test.each(['source', 'target'] as const)('verify passes every kind of relation and index (%s)', async (side) => {
  const copy = copyOn(side);
  const seen = await verified(copy);
  const tiers = seen.tiers.filter(({ tier }) => ['catalog', 'tables', 'indexes'].includes(tier));
  expect(tiers).toMatchObject([{ state: 'passed' }, { state: 'passed' }, { state: 'passed' }]);
  const without = side === 'source' ? '1 bloom, 1 brin, 2 gin, 2 gist, 4 hash, 1 spgist' : '1 bloom, 1 brin, 2 gist, 4 hash, 1 spgist';
  expect(tiers[2]?.because).toBe(`amcheck has no check for indexes: ${without}`);
  expect(seen.findings.map(({ level, what }) => `${level} ${what}`)).toEqual([
    expect.stringMatching(/^warns the index .*indexed_invalid" is invalid/),
    expect.stringMatching(/^warns the index .*parted_invalid" is invalid/),
  ]);
});

test.each(['source', 'target'] as const)('hydrate reads every kind of relation and index (%s)', async (side) => {
  const copy = copyOn(side);
  const withPages = `SELECT count(*)::int FROM pg_class c WHERE relpersistence <> 't' AND EXISTS (
    SELECT FROM unnest(ARRAY['main', 'fsm', 'vm', 'init']) f WHERE pg_relation_size(c.oid, f) > 0)`;
  const [relations] = await values(copy.client, withPages);
  expect(await hydrate(copy, createJournal().attempt('hydrate'))).toMatchObject({ relations, method: 'pg_prewarm', notRead: 0 });
});
