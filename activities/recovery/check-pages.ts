import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import type { VerificationFinding } from './contract.ts';
import { runAll } from './copy-aside.ts';
import { writeAlike } from './inspect-restored.ts';
import { checkIndex, checkTable, makeAmcheck } from './verify-commands.ts';
import { answered, type Looked, type Verifying } from './looked.ts';

interface Relation {
  readonly oid: number;
  readonly name: string;
}

/** What an earlier attempt left: how many relations it had done, and what it found in them. */
export type Done = Partial<Record<'tables' | 'indexes', { readonly relations: number; readonly findings: readonly Finding[] }>>;
type Finding = Omit<VerificationFinding, 'tier'>;

const relations = {
  tables: `SELECT c.oid::int8::int4 AS oid, c.oid::regclass::text AS name FROM pg_class c JOIN pg_am a ON a.oid = c.relam
            WHERE c.relkind IN ('r', 'm', 't') AND a.amname = 'heap' AND c.relpersistence <> 't' ORDER BY c.oid`,
  indexes: `SELECT c.oid::int8::int4 AS oid, c.oid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
              JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indisvalid AND i.indisready AND c.relpersistence <> 't' ORDER BY c.oid`,
};

/**
 * amcheck on every table, or on every B-tree index with all rows of its table, one after the other. The extension is made inside the
 * transaction and rolled back with it; where it can't be, the tier is not made and says why.
 */
export async function checkPages(verifying: Verifying, attempt: Attempt, what: 'tables' | 'indexes', done: Done): Promise<Looked> {
  const { servers, recovery } = verifying;
  const opening = { purpose: 'change', step: attempt.step, statementTimeout: 0, server: recovery.restored } as const;
  const session = await servers.open(recovery.database, opening);
  try {
    await writeAlike(session);
    await session.query('BEGIN');
    const amcheck = await extension(session);
    if (amcheck instanceof Failure) return notMade(`the extension amcheck is not to be had: ${amcheck.message}`);
    const version = await session.query<{ version: number }>(`SELECT current_setting('server_version_num')::int AS version`);
    if (what === 'tables' && (version[0]?.version ?? 0) < 140_000) return notMade('PostgreSQL can check tables from 14 on');
    return await checkAll(session, attempt, { what, amcheck, done });
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
    await session.end();
  }
}

const notMade = (because: string): Looked => ({ checked: 0, findings: [], notMade: true, because });

/** Its schema. */
async function extension(session: Session): Promise<string | Failure> {
  const there = async (): Promise<string | undefined> => {
    const [row] = await session.query<{ schema: string }>(
      `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'`,
    );
    return row?.schema;
  };
  const found = await there();
  if (found !== undefined) return found;
  const made = await answered(async () => {
    await runAll(session, makeAmcheck, {});
    return [];
  });
  return made instanceof Failure ? made : ((await there()) ?? '');
}

async function checkAll(
  session: Session,
  attempt: Attempt,
  { what, amcheck, done }: { what: 'tables' | 'indexes'; amcheck: string; done: Done },
): Promise<Looked> {
  const all = await session.query<Relation & Record<string, unknown>>(relations[what]);
  const before = done[what];
  const findings: Finding[] = [...(before?.findings ?? [])];
  let refused: string | undefined;
  for (const [index, relation] of all.entries()) {
    if (index < (before?.relations ?? 0)) continue;
    attempt.signal.throwIfAborted();
    attempt.progress({ summary: `amcheck: ${index + 1} of ${all.length} ${what}, ${relation.name}`, fraction: index / all.length });
    const seen = await checkOne(session, what, amcheck, relation);
    if (seen instanceof Failure && seen.code === 'privilege-missing') refused = `this role may not check ${relation.name}: ${seen.message}`;
    if (refused !== undefined) break;
    findings.push(...(seen instanceof Failure ? [{ level: 'fails' as const, what: `${relation.name}: ${seen.message}` }] : seen));
    done[what] = { relations: index + 1, findings: findings.slice(0, 30) };
    attempt.save({ ...done });
  }
  if (refused !== undefined) return { ...notMade(refused), findings };
  return { checked: all.length, findings };
}

async function checkOne(session: Session, what: 'tables' | 'indexes', amcheck: string, relation: Relation): Promise<Finding[] | Failure> {
  await session.query('SAVEPOINT one');
  const values = { amcheck, relation: relation.oid };
  const rows = await answered(
    async () =>
      await session.run<{ blkno: string; offnum: number | null; msg: string }>(what === 'tables' ? checkTable : checkIndex, values),
  );
  await session.query(rows instanceof Failure ? 'ROLLBACK TO one' : 'RELEASE one');
  if (rows instanceof Failure || what === 'indexes') return rows instanceof Failure ? rows : [];
  return rows.map((row) => ({ level: 'fails', what: `${relation.name}, block ${row.blkno}, row ${row.offnum ?? '?'}: ${row.msg}` }));
}

export function doneBefore(checkpoint: unknown): Done {
  // Saved by an earlier attempt of this very verb.
  return typeof checkpoint === 'object' && checkpoint !== null ? { ...(checkpoint as Done) } : {};
}
