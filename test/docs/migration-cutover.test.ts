import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rightsChecks } from '../../activities/postgres/preflight/rights.ts';
import { schemaChecks } from '../../activities/postgres/preflight/schema.ts';
import { serverChecks } from '../../activities/postgres/preflight/servers.ts';
import { tableChecks } from '../../activities/postgres/preflight/tables.ts';
import { trafficChecks } from '../../activities/postgres/preflight/traffic.ts';
import { isFailureCode } from '../../domain/failure.ts';
import { steps } from '../../workflows/migration-cutover/plan.ts';
import { coded, read, tableOf } from './pages.ts';

const page = 'docs/migration-cutover.md';
const first = (rows: string[][]): string[] => rows.map(([cell = '']) => coded(cell)[0] ?? '');

test('the table of checks is the list of checks', () => {
  const checks = [...serverChecks, ...tableChecks, ...schemaChecks, ...trafficChecks, ...rightsChecks].map((check) => check.name);
  expect(first(tableOf(page, 'check', 'finds'))).toEqual(checks);
  expect(read(page)).toContain(`[${checks.length} checks]`);
});

test('no file of checks is forgotten here', () => {
  const files = readdirSync(new URL('../../activities/postgres/preflight/', import.meta.url)).toSorted();
  const lists = ['rights.ts', 'schema.ts', 'servers.ts', 'tables.ts', 'traffic.ts'];
  // Parts of these, and what they see.
  const parts = [
    'closing.ts',
    'lacking.ts',
    'left-behind.ts',
    'other-replication.ts',
    'replica-identity.ts',
    'row-security.ts',
    'writers.ts',
  ];
  expect(files).toEqual([...lists, ...parts, 'view.ts', 'without-superuser.ts'].toSorted());
});

test('the parts of the pause are those that the switch measures, in their order', () => {
  const folder = 'activities/replication/switch';
  const measured = ['hold', 'switch-over', 'forward'].flatMap((file) =>
    [...read(`${folder}/${file}.ts`).matchAll(/(?:part|measured)\('([^']+)'/g)].map((match) => match[1] ?? ''),
  );
  const parts = [...new Set(measured)].filter((part) => part !== 'pause and fence');
  // Without a pooler the fence stands alone, and first in the text.
  const told = first(tableOf(page, 'part', 'what is done'));
  expect(told.toSorted()).toEqual(parts.toSorted());
  expect(told.slice(2)).toEqual(parts.slice(2));
  expect(read(page)).toContain('`pause and fence`');
});

test('what to do when it parks names steps and failures that there are', () => {
  const rows = tableOf(page, 'step', 'failure', 'what to do');
  const named = rows.flatMap(([step = '']) => coded(step));
  expect(named.filter((step) => !Object.hasOwn(steps, step))).toEqual([]);
  const silent = Object.entries(steps).filter(([id, { kind }]) => kind !== 'approval' && id !== 'preflight' && !named.includes(id));
  expect(silent).toEqual([]);
  expect(rows.flatMap((row) => coded(row[1] ?? '')).filter((code) => !isFailureCode(code))).toEqual([]);
});
