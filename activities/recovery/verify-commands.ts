import { qualified, quoteIdentifier, type Command } from '../../domain/command.ts';
import type { VerificationRules } from '../../domain/verification.ts';
import type { FactsOfVerification } from './facts.ts';

/** The pure half of the verification. Everything is read on the restored copy; one query is asked of the database in use too. */
const restored = (text: string, when?: string): Command => ({ on: 'restored', kind: 'sql', text, ...(when === undefined ? {} : { when }) });

/** Rolled back at the end: nothing of it stays. In a schema of its own, since a provider's main user may not put it into the server's. */
export const makeAmcheck: readonly Command[] = [
  'CREATE SCHEMA steadyhand_amcheck',
  'CREATE EXTENSION amcheck SCHEMA steadyhand_amcheck',
].map((text) => restored(text, 'when the extension is not there yet; rolled back afterwards'));

/** Reads every definition: a broken catalog says so here. */
export const readCatalog = restored(
  `SELECT (SELECT count(*) FROM pg_attribute) AS columns, (SELECT count(pg_get_indexdef(indexrelid)) FROM pg_index) AS indexes,` +
    ` (SELECT count(pg_get_constraintdef(oid)) FROM pg_constraint) AS constraints, (SELECT count(pg_get_viewdef(oid)) FROM pg_class WHERE relkind IN ('v', 'm')) AS views,` +
    ` (SELECT count(prosrc) FROM pg_proc) AS functions, ARRAY(SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1) AS invalid`,
);

/** Tables with their TOAST, and indexes that hold every row of theirs. `amcheck` is the schema of the extension. */
export const checkTable = restored(
  'SELECT blkno, offnum, attnum, msg FROM :"amcheck".verify_heapam(relation => :relation, check_toast => true) LIMIT 20',
  'for each table, materialised view and TOAST table, from PostgreSQL 14 on; for each sequence from 16 on',
);
export const checkBtree = restored(
  'SELECT :"amcheck".bt_index_check(index => :relation, heapallindexed => true)',
  'for each B-tree index, on each partition',
);
export const checkGin = restored('SELECT :"amcheck".gin_index_check(index => :relation)', 'for each GIN index, from PostgreSQL 18 on');

export const assertion = (sql: string): Command => restored(`SELECT holds FROM (${sql.trim().replace(/;$/, '')}) AS assertion (holds)`);
export const schemaVersion = (sql: string): Command =>
  restored(`SELECT version::text FROM (${sql.trim().replace(/;$/, '')}) AS schema (version)`);

type NewestRow = NonNullable<VerificationRules['newestRow']>;

export const newestByColumn = ({ schema, table, column }: NewestRow): Command =>
  restored(`SELECT ${iso(`max(${quoteIdentifier(column)}::timestamptz)`)} AS newest FROM ${qualified({ schema, name: table })}`);
export const newestByCommit = ({ schema, table }: NewestRow): Command =>
  restored(
    `SELECT ${iso('max(pg_xact_commit_timestamp(xmin))')} AS newest FROM ${qualified({ schema, name: table })}`,
    'when track_commit_timestamp is on',
  );

const iso = (moment: string): string => `to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export function verify(_recovery: unknown, { binding }: FactsOfVerification): Command[] {
  const { assertions, newestRow, schemaVersion: version } = binding.verification.rules;
  return [
    readCatalog,
    ...makeAmcheck,
    checkTable,
    checkBtree,
    checkGin,
    ...assertions.map((one) => assertion(one.sql)),
    ...(newestRow ? [newestByColumn(newestRow), newestByCommit(newestRow)] : []),
    ...(version === undefined ? [] : [schemaVersion(version), { ...schemaVersion(version), on: 'live' as const }]),
  ];
}
