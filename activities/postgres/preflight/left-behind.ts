import { carriedConfiguration } from '../../replication/configuration-commands.ts';
import type { NotCarried } from '../../replication/facts.ts';
import { filledConfiguration } from '../../replication/switch/carry-configuration.ts';
import { qualified } from '../../../domain/command.ts';
import { lackingConfiguration } from '../configuration.ts';
import { fewerExtensionRows, notCarriedText } from '../not-carried.ts';
import { blocks, informs, listed, named, warns, type Check, type Found, type View } from './view.ts';

/** These have checks of their own, with their own ways out. */
const ownChecks = new Set<NotCarried['kind']>(['large object', 'temporary']);

/**
 * Whatever holds rows and is neither published nor copied nor carried in the switch: the run would succeed without them. People may
 * choose by name what stays behind.
 */
export const leftBehind: Check = {
  name: 'rows left behind',
  look: ({ facts, migration }) => {
    const left = facts.observed.notCarried.filter((one) => !ownChecks.has(one.kind));
    const chosen = new Set(migration.leave);
    const lost = left.filter((one) => mayBeLost(one) && !chosen.has(one.name));
    const stays = left.filter((one) => mayBeLost(one) && chosen.has(one.name));
    const views = left.filter((one) => one.kind === 'materialized view' && !chosen.has(one.name));
    return [
      ...lost.map((one) =>
        blocks(
          `nothing carries ${notCarriedText(one)} to ${migration.target}: ${one.because}`,
          `${ways[one.kind]} If its rows may stay behind, ask for the run with leave: ["${one.name}"].`,
        ),
      ),
      ...stays.map((one) => warns(`${notCarriedText(one)} stays on ${migration.source}, as asked`, 'Nothing, if nobody needs it there.')),
      ...views.map((one) => warns(`${one.name} is ${one.because}`, 'REFRESH it after the switch.')),
      ...unknownNames(facts, migration),
    ];
  },
};

const mayBeLost = ({ kind, rows }: NotCarried): boolean => kind !== 'materialized view' && rows !== 0;

const ways: Readonly<Record<NotCarried['kind'], string>> = {
  table: 'Carry its rows by hand before clients write on the new side, or by the extension’s own way of dumping them.',
  'unlogged table': 'ALTER TABLE … SET LOGGED, or empty it if its rows may be lost.',
  sequence: 'Move it into a schema of the application’s.',
  'materialized view': '',
  'large object': '',
  temporary: '',
};

/** A slip in a name must not pass for a choice. */
function unknownNames({ observed, binding }: View['facts'], { leave, source }: View['migration']): Found[] {
  const known = new Set([...observed.notCarried.map((one) => one.name), ...binding.source.configuration.map(named)]);
  const unknown = leave.filter((one) => !known.has(one));
  if (unknown.length === 0) return [];
  return [
    blocks(
      `leave names what would not stay behind on ${source}: ${unknown.join(', ')}`,
      'Name tables as schema.name, and only those that preflight or the plan names.',
    ),
  ];
}

/** More than that is felt in the pause. */
const feltBytes = 10_485_760;

/** The users' rows in tables that come with an extension. */
export const configuration: Check = {
  name: 'extension configuration',
  look: async (view) => {
    const tables = carriedConfiguration(view.migration, view.facts).map(named);
    const carried = `${listed(tables, 'configuration tables of extensions')}; the users' rows in them are carried in the pause of the switch`;
    return [
      ...(tables.length === 0 ? [] : [informs(carried)]),
      ...(await large(view)),
      ...(await referredTo(view)),
      ...(view.migration.schema === 'copy' ? [] : await notReady(view)),
    ];
  },
};

async function large({ source, facts, migration }: View): Promise<Found[]> {
  const found: string[] = [];
  for (const one of carriedConfiguration(migration, facts)) {
    const [row] = await source.query<{ bytes: string }>('SELECT pg_table_size($1::regclass)::text AS bytes', [qualified(one)]);
    if (Number(row?.bytes ?? 0) > feltBytes) found.push(named(one));
  }
  if (found.length === 0) return [];
  return [
    warns(
      `${listed(found, 'configuration tables of more than 10 MB')}: to carry them takes time in the pause`,
      'Remove old rows, raise pauseMs, or leave the table behind with leave.',
    ),
  ];
}

/** To empty such a table again, after a switch that was given up, without its foreign keys takes a superuser. */
async function referredTo({ source, facts, migration }: View): Promise<Found[]> {
  const tables = carriedConfiguration(migration, facts).map(qualified);
  if (tables.length === 0 || facts.binding.target.superuser) return [];
  const rows = await source.query<{ name: string }>(
    `SELECT DISTINCT o.conrelid::regclass::text AS name FROM pg_constraint o
      WHERE o.contype = 'f' AND o.confrelid = ANY ($1::text[]::regclass[]) AND o.conrelid <> ALL ($1::text[]::regclass[]) ORDER BY 1`,
    [tables],
  );
  if (rows.length === 0) return [];
  const names = listed(
    rows.map((row) => row.name),
    'tables',
  );
  return [
    blocks(
      `${names} refer to configuration tables of extensions, and Steadyhand's role on ${migration.target} is no superuser, so it could not take their rows away again without touching these`,
      'Use a superuser, or let the configuration table stay with leave.',
    ),
  ];
}

async function notReady({ source, target, facts, migration }: View): Promise<Found[]> {
  const tables = carriedConfiguration(migration, facts);
  const lacks = [
    ...lackingConfiguration(tables, facts.binding.target.configuration),
    ...(await fewerExtensionRows(source, target, migration.leave)),
  ];
  if (lacks.length > 0)
    return [
      blocks(
        listed(lacks, `tables, columns or rows of extensions that ${migration.target} lacks`),
        'CREATE EXTENSION there, in the same version. Carry rows that it does not make by hand, or let them stay with leave.',
      ),
    ];
  const filled = await filledConfiguration(target, tables);
  if (filled.length === 0) return [];
  return [
    blocks(
      `${migration.target} holds rows already, which the switch would replace: ${listed(filled, 'configuration tables of extensions')}`,
      'Remove them there (they come from the source), or leave the table as it is with leave.',
    ),
  ];
}
