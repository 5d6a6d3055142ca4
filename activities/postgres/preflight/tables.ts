import { quoteLiteral } from '../../../domain/command.ts';
import { triggerText } from '../../replication/hold-triggers.ts';
import { firingOnTarget } from '../../replication/trigger-commands.ts';
import { filledTables } from '../filled-tables.ts';
import { userSchema } from '../user-objects.ts';
import { fullIdentities, replicaIdentities } from './replica-identity.ts';
import { configuration, leftBehind } from './left-behind.ts';
import { rowSecurity } from './row-security.ts';
import { blocks, informs, listed, named, warns, type Check, type Found } from './view.ts';

/** Those with rows are a matter of `rows left behind`. */
const unlogged: Check = {
  name: 'unlogged tables',
  look: ({ facts }) => {
    const empty = facts.observed.notCarried.filter((one) => one.kind === 'unlogged table' && one.rows === 0);
    if (empty.length === 0) return [];
    return [
      warns(
        `${listed(
          empty.map((one) => one.name),
          'unlogged tables',
        )}, empty now: rows that come later are not carried`,
        'ALTER TABLE … SET LOGGED, if their rows must not be lost.',
      ),
    ];
  },
};

const largeObjects: Check = {
  name: 'large objects',
  look: async ({ source, migration }) => {
    const [row] = await source.query<{ count: string }>('SELECT count(*)::text AS count FROM pg_largeobject_metadata');
    if (!row || row.count === '0') return [];
    return [
      blocks(
        `${migration.source} has ${row.count} large objects: replication does not carry them`,
        'Move them into bytea columns, or remove them (vacuumlo finds orphans).',
      ),
    ];
  },
};

const emptyTarget: Check = {
  name: 'empty target',
  look: async ({ target, facts, migration, copying }) => {
    if (copying) return [];
    const filled = await filledTables(target, facts.binding.target.tables);
    if (filled.length === 0) return [];
    return [
      blocks(
        `${migration.target} holds rows already: ${listed(filled.map(named), 'tables')}`,
        'Find out first whether it serves already, as after a finished move: then touch nothing and correct the inventory. Only rows that nobody needs, such as what the migrations seeded, may be removed there.',
      ),
    ];
  },
};

/** From 16 on a change is applied with the rights of the table's owner, who may have taken some from himself. */
const owners: Check = {
  name: 'owners of tables',
  look: async ({ source, target, facts, migration }) => {
    if (facts.binding.target.version < 160_000) return [];
    const rows = await (migration.schema === 'copy' ? source : target).query<{ name: string; owner: string }>(
      `SELECT n.nspname || '.' || c.relname AS name, o.rolname AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_roles o ON o.oid = c.relowner
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${userSchema}
          AND NOT (has_schema_privilege(o.oid, n.oid, 'USAGE') AND has_table_privilege(o.oid, c.oid, 'SELECT')
            AND has_table_privilege(o.oid, c.oid, 'INSERT') AND has_table_privilege(o.oid, c.oid, 'UPDATE')
            AND has_table_privilege(o.oid, c.oid, 'DELETE') AND has_table_privilege(o.oid, c.oid, 'TRUNCATE')) ORDER BY 1`,
    );
    if (rows.length === 0) return [];
    const names = rows.map((row) => `${row.name} (${row.owner})`);
    return [
      blocks(
        `${listed(names, 'tables whose owner may not use their schema or write into them')}: ${migration.target} applies changes as the owner and would stop`,
        'GRANT USAGE ON SCHEMA … and ALL ON TABLE … to the owner, on both sides.',
      ),
    ];
  },
};

/** Such a trigger has fired on the source, and what it wrote there is replicated: its rows would come twice. */
const firing: Check = {
  name: 'triggers',
  look: ({ facts, migration }) => {
    const triggers = firingOnTarget(migration, facts);
    if (triggers.length === 0) return [];
    const evidence = `${listed(triggers.map(triggerText), `triggers that would fire on ${migration.target} for what replication writes there`)}`;
    if (migration.triggers === 'hold') return [informs(`${evidence}; they are disabled there until the cutover`)];
    return [
      blocks(
        `${evidence}: what they write would come twice, or change the rows that are copied`,
        'Ask for the run with triggers: hold, so that they are disabled on the target until the cutover; or ALTER TABLE … ENABLE TRIGGER … (ALTER EVENT TRIGGER … ENABLE), so that they fire for clients alone.',
      ),
    ];
  },
};

const inherited: Check = {
  name: 'kinds of tables',
  look: async ({ source, facts }) => {
    const other = facts.binding.source.otherObjects;
    const kind = (name: string): string[] => other.filter((one) => one.startsWith(`${name} `)).map((one) => one.slice(name.length + 1));
    const generated = await source.query<{ name: string }>(
      facts.binding.source.version < 120_000
        ? 'SELECT NULL AS name WHERE false'
        : `SELECT n.nspname || '.' || c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attgenerated <> '' AND c.relkind = 'r' AND ${userSchema} ORDER BY 1`,
    );
    const lists: [string[], string, string][] = [
      [kind('foreign table'), 'foreign tables', 'their rows stay where they are; the target reads them from there, too'],
      [
        kind('partitioned table'),
        'partitioned tables',
        'they are published partition by partition; the DDL freeze keeps new partitions from being made during the run',
      ],
      [facts.binding.source.materializedViews.map(named), 'materialised views', 'they are refreshed on the target before the switch'],
      [generated.map((row) => row.name), 'generated columns', 'the target computes them by itself'],
    ];
    return lists.filter(([names]) => names.length > 0).map(([names, what, then]) => informs(`${listed(names, what)}; ${then}`));
  },
};

const preparedFor = (side: string, rows: readonly { gid: string }[]): string =>
  `${side}: ${rows
    .map((row) => quoteLiteral(row.gid))
    .slice(0, 5)
    .join(', ')}`;

const preparedTransactions: Check = {
  name: 'prepared transactions',
  look: async ({ source, target, migration }) => {
    const sql = 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()';
    const found: Found[] = [];
    for (const [session, side] of [
      [source, migration.source],
      [target, migration.target],
    ] as const) {
      const rows = await session.query<{ gid: string }>(sql);
      if (rows.length > 0)
        found.push(
          blocks(
            `${rows.length} prepared transactions on ${preparedFor(side, rows)}: the slot waits for them, and a switch would lose them`,
            'COMMIT PREPARED or ROLLBACK PREPARED each of them.',
          ),
        );
    }
    return found;
  },
};

export const tableChecks: readonly Check[] = [
  replicaIdentities,
  fullIdentities,
  leftBehind,
  configuration,
  unlogged,
  largeObjects,
  emptyTarget,
  rowSecurity,
  owners,
  firing,
  inherited,
  preparedTransactions,
];
