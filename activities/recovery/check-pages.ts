import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { checkableRelations, checksOf, type Check, type Relation } from './checkable-relations.ts';
import type { VerificationFinding } from './contract.ts';
import { runAll } from './copy-aside.ts';
import { writeAlike } from './inspect-restored.ts';
import { makeAmcheck } from './verify-commands.ts';
import { answered, type Looked, type Verifying } from './looked.ts';

/** What an earlier attempt left: how many relations it had done, and what it found in them. */
export type Done = Partial<Record<'tables' | 'indexes', { readonly relations: number; readonly findings: readonly Finding[] }>>;
type Finding = Omit<VerificationFinding, 'tier'>;

/**
 * amcheck on every table, or on every index that it has a check for, one after the other. The extension is made inside the
 * transaction and rolled back with it. Where it can't be made, the tier is not made and says why.
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
    const checks = await checksOf(session, what, amcheck);
    if (typeof checks === 'string') return notMade(checks);
    return await checkAll(session, attempt, { what, amcheck, checks, done });
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

interface Checking {
  readonly what: 'tables' | 'indexes';
  readonly amcheck: string;
  readonly checks: ReadonlyMap<string, Check>;
  readonly done: Done;
}

async function checkAll(session: Session, attempt: Attempt, { what, amcheck, checks, done }: Checking): Promise<Looked> {
  const { checkable, others } = await checkableRelations(session, what, checks);
  const before = done[what];
  const findings: Finding[] = [...(before?.findings ?? [])];
  for (const [index, relation] of checkable.entries()) {
    if (index < (before?.relations ?? 0)) continue;
    attempt.signal.throwIfAborted();
    attempt.progress({
      summary: `amcheck: ${index + 1} of ${checkable.length} ${what}, ${relation.name}`,
      fraction: index / checkable.length,
    });
    findings.push(...(await checkOne(session, relation, amcheck)));
    done[what] = { relations: index + 1, findings: findings.slice(0, 30) };
    attempt.save({ ...done });
  }
  return { checked: checkable.length, findings, ...(others === '' ? {} : { because: `amcheck has no check for ${others}` }) };
}

async function checkOne(session: Session, { oid, name, check }: Relation, amcheck: string): Promise<Finding[]> {
  await session.query('SAVEPOINT one');
  const rows = await answered(
    async () => await session.run<{ blkno?: string; offnum?: number | null; msg?: string }>(check, { amcheck, relation: oid }),
  );
  await session.query(rows instanceof Failure ? 'ROLLBACK TO one' : 'RELEASE one');
  if (rows instanceof Failure) return [refusal(name, rows)];
  return rows.flatMap(({ blkno, offnum, msg }): Finding[] =>
    msg === undefined ? [] : [{ level: 'fails', what: `${name}, block ${blkno ?? '?'}, row ${offnum ?? '?'}: ${msg}` }],
  );
}

/**
 * Damage has SQLSTATEs of its own: those of amcheck (XX001, XX002), of the server's own checks (XX) and of files (58). Anything else
 * says that this relation could not be checked: a function of an index that fails, for one, fails on the live server, too.
 */
function refusal(name: string, failure: Failure): Finding {
  const state = failure.facts['sqlstate'];
  const damaged = typeof state !== 'string' || /^(?:XX|58)/.test(state);
  if (damaged) return { level: 'fails', what: `${name}: ${failure.message}` };
  return { level: 'warns', what: `${name} could not be checked: ${failure.message}` };
}

export function doneBefore(checkpoint: unknown): Done {
  // Saved by an earlier attempt of this very verb.
  return typeof checkpoint === 'object' && checkpoint !== null ? { ...(checkpoint as Done) } : {};
}
