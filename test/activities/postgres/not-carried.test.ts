import { expect, test } from 'vitest';
import { whyNotCarried, type Relation } from '../../../activities/postgres/not-carried.ts';

const users: Relation = {
  schema: 'public',
  name: 'one',
  kind: 'r',
  persistence: 'p',
  inUserSchema: true,
  extension: null,
  configuration: false,
};
const member = { extension: 'kept' };
const systems = { inUserSchema: false };

test.each<[string, Partial<Relation>, string | null]>([
  ['a table is published', {}, null],
  ['a view, a partitioned and a foreign table hold no rows', { kind: 'v' }, null],
  ['a partitioned table of an extension holds none', { kind: 'p', ...member }, null],
  ['a foreign table holds none', { kind: 'f' }, null],
  ['an unlogged table is in no WAL', { persistence: 'u' }, 'unlogged'],
  ['a temporary table ends with its session', { persistence: 't', ...systems }, 'temporary'],
  ['a materialised view is refreshed', { kind: 'm' }, null],
  ['an extension’s is not', { kind: 'm', ...member }, 'REFRESH it'],
  ['a sequence goes along, an extension’s too', { kind: 'S', ...member }, null],
  ['a configuration table goes along', { configuration: true, ...member, ...systems }, null],
  ['another table of an extension does not', member, 'the extension kept'],
  ['nothing takes a table that somebody made in pg_catalog', systems, 'the server’s own'],
  ['nor a sequence', { kind: 'S', ...systems }, 'the server’s own'],
])('%s', (_, relation, because) => {
  const why = whyNotCarried({ ...users, ...relation });
  if (because === null) expect(why).toBe(null);
  else expect(why).toContain(because);
});
