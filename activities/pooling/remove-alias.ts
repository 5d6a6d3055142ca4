import type { PoolerEntry } from '../../domain/inventory.ts';
import type { Attempt } from '../attempt.ts';
import type { Servers } from '../postgres/session.ts';
import type { Migration } from '../replication/contract.ts';
import { nextAlias, reload } from './commands.ts';
import { dropAlias } from './config-file.ts';
import type { PoolingDependencies } from './dependencies.ts';
import { openConsole } from './pgbouncer.ts';

const reloadTimeoutMs = 5_000;

/** The alias of `tryAlias` is gone from file and pooler. Right when it never was there; repeats safely. */
export async function removeAlias(
  { servers }: Pick<PoolingDependencies, 'servers'>,
  migration: Migration,
  attempt: Attempt,
): Promise<void> {
  const { pooler } = servers.entry(migration.source);
  if (!pooler || attempt.intended === null) return await attempt.settle('nothing-to-undo');
  await attempt.intend({});
  await attempt.current();
  await takeAliasOut(servers, pooler);
  await attempt.settle('undone');
}

/** File and pooler forget the alias for the new side. Repeats safely. */
export async function takeAliasOut(servers: Servers, pooler: PoolerEntry): Promise<void> {
  await dropAlias(pooler.configFile, nextAlias(pooler.alias));
  await reloadPooler(servers, pooler);
}

export async function reloadPooler(servers: Servers, pooler: PoolerEntry): Promise<void> {
  const admin = await openConsole(pooler, await servers.secret(pooler.admin.secret));
  try {
    await admin.run(reload, reloadTimeoutMs);
  } finally {
    await admin.end();
  }
}
