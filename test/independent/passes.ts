import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { createControl } from '../../control/control.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { everyScope } from '../../domain/token.ts';
import type { Pass } from './schemathesis.ts';

const accepted = z.object({ id: z.string() });

/**
 * Three passes over the API: at large, with names that mean nothing; on a run that is there, so that requests get past "not found";
 * and on tokens, with one of its own, which it may revoke.
 */
export async function passesOf(sandbox: Sandbox, seconds: number): Promise<Pass[]> {
  const api = sandbox.environment['STEADYHAND_API_URL'] ?? '';
  const token = (await readFile(sandbox.tokens['ada'] ?? '', 'utf8')).trim();
  const id = await startedRun(api, token);
  const [user, keeper] = await tokensOf(sandbox);
  const share = (part: number): number => Math.max(3, Math.round(seconds * part));
  return [
    { name: 'At large', api, token: user, seconds: share(0.4), paths: { without: '^/v1/tokens' }, settings: '' },
    { name: 'On a run', api, token: user, seconds: share(0.45), paths: { only: '^/v1/(runs/|leases|plans|freezes)' }, settings: known(id) },
    { name: 'Tokens', api, token: keeper, seconds: share(0.15), paths: { only: '^/v1/tokens' }, settings: '' },
  ];
}

/** A run that waits for people, or has failed: it may be cancelled meanwhile. */
async function startedRun(api: string, token: string): Promise<string> {
  const answer = await fetch(new URL('/v1/runs', api), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'independent' },
    body: JSON.stringify({ runbook: 'migration-cutover', database: 'orders', input: { target: 'orders-18', schema: 'already-there' } }),
  });
  return accepted.parse(await answer.json()).id;
}

async function tokensOf({ environment }: Sandbox): Promise<[user: string, keeper: string]> {
  const password = (await readFile(environment['STEADYHAND_CONTROL_PASSWORD_FILE'] ?? '', 'utf8')).trim();
  const connectionString = environment['STEADYHAND_CONTROL_URL'] ?? '';
  const control = createControl({ connectionString, password, applicationName: 'independent tests' });
  const actor = { kind: 'system', name: 'steadyhand', channel: 'host' } as const;
  try {
    const scopes = everyScope.filter((scope) => scope !== 'tokens');
    const user = await control.tokens.create({ person: 'ada', scopes, actor });
    // Another person's, so that it cannot revoke the first one.
    const keeper = await control.tokens.create({ person: 'grace', actor });
    return [user.token, keeper.token];
  } finally {
    await control.close();
  }
}

function known(id: string): string {
  return [
    ...['[[operations]]', 'include-path-regex = "^/v1/runs/"', `parameters = { "path.id" = "${id}" }`, ''],
    ...['[[operations]]', 'include-path-regex = "^/v1/leases/"', 'parameters = { "path.database" = "orders" }', ''],
  ].join('\n');
}
