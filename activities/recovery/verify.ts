import { microsecondsOf } from '../../domain/exact-moment.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { checkPages, doneBefore } from './check-pages.ts';
import type { Tier, Verification, VerificationFinding } from './contract.ts';
import { answered, type Looked, type Verifying } from './looked.ts';
import { onRestored } from './places.ts';
import { assertion, newestByColumn, newestByCommit, readCatalog, schemaVersion } from './verify-commands.ts';

const listed = 30;
const assertionTimeoutMs = 60_000;

/**
 * Asks a restored copy, in tiers: can the catalogs be read, does every table and every B-tree index pass amcheck, do the owner's
 * assertions hold, is no row newer than the moment that was asked for, is the application's schema the version of now. Changes
 * nothing: the extension, where it has to be made, is rolled back. After a kill it goes on with the next table. A tier that can't be
 * made is named, with the reason. Raises `verification-failed`, with all that was found, when a tier fails; warnings are told.
 */
export async function verify(verifying: Verifying, attempt: Attempt): Promise<Verification> {
  const begun = Date.now();
  const tiers: Tier[] = [];
  const findings: VerificationFinding[] = [];
  const tier = async (name: Tier['tier'], look: () => Promise<Looked>): Promise<void> => {
    attempt.signal.throwIfAborted();
    const started = Date.now();
    attempt.progress({ summary: `${name}, ${tiers.length} tiers before it, ${findings.length} findings` });
    const looked = await look();
    const failed = looked.findings.some((one) => one.level === 'fails');
    const state = failed ? 'failed' : looked.notMade === true ? 'not-made' : 'passed';
    const seconds = (Date.now() - started) / 1_000;
    tiers.push({
      tier: name,
      state,
      checked: looked.checked,
      seconds,
      ...(looked.because === undefined ? {} : { because: looked.because }),
    });
    findings.push(...looked.findings.map((one) => ({ tier: name, ...one, what: one.what.slice(0, 300) })));
  };
  const done = doneBefore(attempt.checkpoint);
  let newest: string | null = null;
  await tier('catalog', async () => await catalog(verifying));
  await tier('tables', async () => await checkPages(verifying, attempt, 'tables', done));
  await tier('indexes', async () => await checkPages(verifying, attempt, 'indexes', done));
  await tier('assertions', async () => await assertions(verifying));
  await tier('newest-row', async () => {
    const looked = await newestRow(verifying);
    newest = looked.newest;
    return looked;
  });
  await tier('schema-version', async () => await versions(verifying));
  return judged(verifying, { tiers, findings: findings.slice(0, listed), newestRowAt: newest, seconds: (Date.now() - begun) / 1_000 });
}

function judged({ recovery }: Verifying, verification: Verification): Verification {
  const failing = verification.findings.filter((one) => one.level === 'fails');
  if (failing.length === 0) return verification;
  const lines = failing.map((one) => `- ${one.tier}: ${one.what}`).join('\n');
  throw new Failure('verification-failed', `the restored copy of ${recovery.database} failed:\n${lines}`, { verification });
}

/** As the application would be: with the database's own search_path. Nothing is written. */
async function asking<Result>(
  { servers, recovery }: Verifying,
  on: 'restored' | 'live',
  ask: (session: Session) => Promise<Result>,
): Promise<Result> {
  const server = on === 'restored' ? { server: recovery.restored } : {};
  const session = await servers.open(recovery.database, { purpose: 'look', statementTimeout: assertionTimeoutMs, ...server });
  try {
    return await ask(session);
  } finally {
    await session.end();
  }
}

async function catalog(verifying: Verifying): Promise<Looked> {
  const seen = await onRestored(
    verifying,
    async (session) =>
      await answered(
        async () =>
          await session.query<{ columns: string; indexes: string; views: string; functions: string; invalid: string[] }>(readCatalog.text),
      ),
    { statementTimeout: 0 },
  );
  if (seen instanceof Failure) return { checked: 0, findings: [{ level: 'fails', what: `the catalogs can't be read: ${seen.message}` }] };
  const [row] = seen;
  if (!row) throw new Error('a query of one row gave none');
  const checked = [row.columns, row.indexes, row.views, row.functions].reduce((sum, one) => sum + Number(one), 0);
  return {
    checked,
    findings: row.invalid.map((name) => ({ level: 'warns', what: `the index ${name} is invalid; it was so when the backup was made` })),
  };
}

async function assertions(verifying: Verifying): Promise<Looked> {
  const { rules } = verifying.facts;
  if (rules.assertions.length === 0)
    return { checked: 0, findings: [], notMade: true, because: 'the inventory has no assertions of the owners' };
  const findings: Looked['findings'][number][] = [];
  for (const { name, sql } of rules.assertions) {
    const rows = await asking(
      verifying,
      'restored',
      async (session) => await answered(async () => await session.query<{ holds: unknown }>(assertion(sql).text)),
    );
    if (rows instanceof Failure) findings.push({ level: 'fails', what: `"${name}" can't be asked: ${rows.message}` });
    else if (rows.length !== 1 || rows[0]?.holds !== true) {
      findings.push({
        level: 'fails',
        what: `"${name}" does not hold: ${rows.length === 1 ? String(rows[0]?.holds) : `${rows.length} rows`}`,
      });
    }
  }
  return { checked: rules.assertions.length, findings };
}

/** By the time of the commits where the server keeps it, since a column can hold anything. */
async function newestRow(verifying: Verifying): Promise<Looked & { readonly newest: string | null }> {
  const { rules, target } = verifying.facts;
  const { newestRow: at } = rules;
  if (!at)
    return { checked: 0, findings: [], newest: null, notMade: true, because: 'the inventory names no column that tells the newest row' };
  const { by, rows } = await asking(verifying, 'restored', async (session) => {
    const [kept] = await session.query<{ on: boolean }>(`SELECT current_setting('track_commit_timestamp')::boolean AS on`);
    const commits =
      kept?.on === true ? await answered(async () => await session.query<{ newest: string | null }>(newestByCommit(at).text)) : [];
    if (!(commits instanceof Failure) && typeof commits[0]?.newest === 'string') return { by: 'the time of its commit', rows: commits };
    return {
      by: `its column ${at.column}`,
      rows: await answered(async () => await session.query<{ newest: string | null }>(newestByColumn(at).text)),
    };
  });
  if (rows instanceof Failure)
    return { checked: 0, findings: [{ level: 'fails', what: `the newest row can't be told: ${rows.message}` }], newest: null };
  const newest = rows[0]?.newest ?? null;
  if (newest === null) return { checked: 0, findings: [{ level: 'warns', what: `${at.schema}.${at.table} has no row` }], newest };
  const late = target !== null && microsecondsOf(newest) > microsecondsOf(target);
  return {
    checked: 1,
    newest,
    because: `by ${by}`,
    findings: late
      ? [{ level: 'fails', what: `the newest row of ${at.schema}.${at.table} is of ${newest}, by ${by}; asked for was ${target}` }]
      : [],
  };
}

/** An older schema than the deployed code's is for people to judge. */
async function versions(verifying: Verifying): Promise<Looked> {
  const { schemaVersion: sql } = verifying.facts.rules;
  if (sql === undefined)
    return { checked: 0, findings: [], notMade: true, because: 'the inventory has no query for the version of the schema' };
  const ask = async (on: 'restored' | 'live'): Promise<string | Failure> => {
    const rows = await asking(
      verifying,
      on,
      async (session) => await answered(async () => await session.query<{ version: string | null }>(schemaVersion(sql).text)),
    );
    return rows instanceof Failure ? rows : (rows[0]?.version ?? 'none');
  };
  const [then, now] = [await ask('restored'), await ask('live')];
  if (then instanceof Failure)
    return { checked: 0, findings: [{ level: 'fails', what: `the version of the schema can't be asked: ${then.message}` }] };
  if (now instanceof Failure)
    return { checked: 1, findings: [{ level: 'warns', what: `restored is ${then}; the database in use does not tell: ${now.message}` }] };
  const differs = {
    level: 'warns',
    what: `the restored schema is version ${then}, the one in use ${now}: does the deployed code fit?`,
  } as const;
  return { checked: 1, findings: then === now ? [] : [differs], because: `version ${then}` };
}
