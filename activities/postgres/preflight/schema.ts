import type { SequenceFacts } from '../../replication/facts.ts';
import { objectsOf } from '../objects-of.ts';
import { missingTool } from '../run-tool.ts';
import { blocks, informs, listed, named, warns, type Check, type Found, type View } from './view.ts';

type Named = { readonly schema: string; readonly name: string };

/** With `already-there`: the same tables of the same shape, the same sequences. With `copy`: nothing of the users' yet. */
const schemas: Check = {
  name: 'schema',
  look: (view) => (view.migration.schema === 'copy' ? nothingThere(view) : sameThere(view)),
};

const startingObjects = new Set(['schema "public"', 'extension "plpgsql"']);

function nothingThere({ facts, migration }: View): Found[] {
  const theirs = new Set(objectsOf(facts.binding.target).filter((one) => !startingObjects.has(one)));
  const both = objectsOf(facts.binding.source).filter(
    (one) => theirs.has(one) && !one.startsWith('extension ') && !one.startsWith('schema '),
  );
  const tables = [...theirs].filter((one) => /^(partitioned )?table /.test(one));
  const inTheWay = [...new Set([...both, ...tables])];
  if (inTheWay.length > 0) {
    return [
      blocks(
        `${migration.target} has objects already: ${listed(inTheWay, 'of them')}`,
        'Give an empty database, or ask for the run with schema: already-there.',
      ),
    ];
  }
  return theirs.size === 0 ? [] : [informs(`${migration.target} has already, apart from tables: ${listed([...theirs], 'objects')}`)];
}

function sameThere({ facts, migration }: View): Found[] {
  const { source, target } = facts.binding;
  const shapes = new Map(target.tables.map((table) => [named(table), table.shape]));
  const differing = source.tables.filter((table) => shapes.has(named(table)) && shapes.get(named(table)) !== table.shape).map(named);
  const lists: [string[], string][] = [
    [lacking(source.tables, target.tables), `tables that ${migration.target} lacks`],
    [lacking(target.tables, source.tables), `tables that only ${migration.target} has`],
    [differing, 'tables whose columns, constraints or indexes differ'],
    [lacking(source.sequences, target.sequences), `sequences that ${migration.target} lacks`],
    [differingSequences(source.sequences, target.sequences), 'sequences whose increment or limits differ'],
  ];
  const found = lists
    .filter(([names]) => names.length > 0)
    .map(([names, what]) => blocks(listed(names, what), 'Run the same schema migrations on both sides, then ask again.'));
  const others = source.otherObjects.filter((one) => !target.otherObjects.includes(one));
  const views = lacking(source.materializedViews, target.materializedViews);
  if (views.length > 0) found.push(blocks(listed(views, `materialised views that ${migration.target} lacks`), 'Make them on the target.'));
  if (others.length > 0)
    found.push(
      warns(listed(others, `other objects that ${migration.target} lacks`), 'Make them on the target, unless nobody needs them there.'),
    );
  return found;
}

/** One that ends sooner on the target would stop the switch while writes are held up. */
function differingSequences(source: readonly SequenceFacts[], target: readonly SequenceFacts[]): string[] {
  const there = new Map(target.map((one) => [named(one), one]));
  return source
    .filter((one) => {
      const other = there.get(named(one));
      return other && (other.increment !== one.increment || other.min !== one.min || other.max !== one.max);
    })
    .map(named);
}

function lacking(all: readonly Named[], there: readonly Named[]): string[] {
  const names = new Set(there.map(named));
  return all.map(named).filter((one) => !names.has(one));
}

const tools: Check = {
  name: 'tool-missing',
  look: async (view) => {
    if (view.migration.schema !== 'copy') return [];
    const missing = await missingTool(view.tools, view.facts.binding.source.version);
    return missing === undefined
      ? []
      : [
          blocks(
            missing,
            'Install it on the worker or set its path in the configuration; or make the schema yourself and ask with schema: already-there.',
          ),
        ];
  },
};

const extensions: Check = {
  name: 'extensions',
  look: async ({ target, facts, migration }) => {
    const available = await target.query<{ name: string; version: string }>(
      'SELECT name, default_version AS version FROM pg_available_extensions',
    );
    const there = new Map(available.map((one) => [one.name, one.version]));
    return facts.binding.source.extensions.flatMap(({ name, version }): Found[] => {
      const newest = there.get(name);
      if (newest === undefined)
        return [
          blocks(
            `the extension ${name} ${version} is not available on ${migration.target}`,
            `Install the package of ${name} on the target's machine.`,
          ),
        ];
      if (!isOlder(newest, version)) return [];
      return [
        blocks(
          `the extension ${name} is ${version} on ${migration.source}, ${migration.target} has ${newest} at most`,
          'Install the newer package on the target.',
        ),
      ];
    });
  },
};

/** Versions of extensions are words; numbers in them are compared as numbers. */
function isOlder(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) < 0;
}

const roles: Check = {
  name: 'roles',
  look: ({ facts, migration }) => {
    const there = new Set(facts.binding.target.roles.map((role) => role.name));
    const missing = facts.binding.source.roles.filter((role) => !there.has(role.name)).map((role) => role.name);
    if (missing.length === 0) return [];
    return [
      blocks(
        listed(missing, `roles that own or may use something are missing on ${migration.target}`),
        'Create them there: pg_dumpall --roles-only carries their passwords, too.',
      ),
    ];
  },
};

const encodings: Check = {
  name: 'encoding and collation',
  look: ({ facts }) => {
    const { source, target } = facts.binding;
    const found: Found[] = [];
    if (source.encoding !== target.encoding) {
      found.push(
        blocks(
          `the encoding is ${source.encoding} on the source and ${target.encoding} on the target`,
          `Make the target's database with ENCODING '${source.encoding}'.`,
        ),
      );
    }
    if (source.collate !== target.collate) {
      found.push(
        warns(
          `the collation is ${source.collate} on the source and ${target.collate} on the target: text sorts differently there`,
          'Make the target with the same collation, unless the application does not depend on order.',
        ),
      );
    }
    return found;
  },
};

const settingsOfRoles: Check = {
  name: 'settings of roles and database',
  look: async ({ source, target, migration }) => {
    const sql = `SELECT coalesce(r.rolname, 'every role') || ': ' || s.setting AS one FROM pg_db_role_setting d LEFT JOIN pg_roles r ON r.oid = d.setrole
                   CROSS JOIN unnest(d.setconfig) AS s (setting)
                  WHERE d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1`;
    const there = new Set((await target.query<{ one: string }>(sql)).map((row) => row.one));
    const missing = (await source.query<{ one: string }>(sql)).map((row) => row.one).filter((one) => !there.has(one));
    if (missing.length === 0) return [];
    return [
      warns(
        listed(missing, `settings by ALTER ROLE or ALTER DATABASE that ${migration.target} lacks`),
        'Set them on the target: no dump of a schema carries them.',
      ),
    ];
  },
};

export const schemaChecks: readonly Check[] = [schemas, tools, extensions, roles, encodings, settingsOfRoles];
