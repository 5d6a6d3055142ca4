import { fill, quoteIdentifier, type Command } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { TaggedLook, TaggedObject } from '../../domain/leftover.ts';
import { taggedName } from '../../domain/run.ts';
import { nextAlias } from '../pooling/commands.ts';
import { readAliases } from '../pooling/config-file.ts';
import type { Servers, Session } from '../postgres/session.ts';
import { detachSlot, disableSubscription, dropFreeze, dropPublication, dropSchema, dropSlot, dropSubscription } from './commands.ts';
import { ownSchema } from './own-schema.ts';

/**
 * What stands on a database of the inventory, and at its pooler, under a name that Steadyhand gives to what runs make. Looks only.
 * `unseen` says why the database or the pooler could not be looked at; what could be is told all the same.
 */
export async function taggedObjects(servers: Servers, database: string): Promise<TaggedLook> {
  const looks = [await looked(() => inDatabase(servers, database)), await looked(() => atPooler(servers, database))];
  return { objects: looks.flatMap((one) => one.objects), unseen: looks.flatMap((one) => one.unseen) };
}

async function looked(look: () => Promise<TaggedObject[]>): Promise<TaggedLook> {
  try {
    return { objects: await look(), unseen: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { objects: [], unseen: [error.message] };
  }
}

async function inDatabase(servers: Servers, database: string): Promise<TaggedObject[]> {
  const session = await servers.open(database, { purpose: 'look' });
  try {
    return [...(await named(session)), ...(await inSchema(session))].map((one) => ({ database, ...one }));
  } finally {
    await session.end();
  }
}

type Found = Omit<TaggedObject, 'database'>;

async function named(session: Session): Promise<Found[]> {
  const rows = await session.query<{ kind: Found['kind']; name: string }>(
    `SELECT 'subscription' AS kind, subname::text AS name FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND subname ~ $1
     UNION ALL SELECT 'slot', slot_name::text FROM pg_replication_slots WHERE database = current_database() AND slot_name ~ $1
     UNION ALL SELECT 'publication', pubname::text FROM pg_publication WHERE pubname ~ $1
     UNION ALL SELECT 'event trigger', evtname::text FROM pg_event_trigger WHERE evtname ~ $1
     UNION ALL SELECT 'side schema', nspname::text FROM pg_namespace WHERE nspname ~ $1
     UNION ALL SELECT 'function', p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'steadyhand' AND p.proname ~ $1`,
    [taggedName],
  );
  return rows.map(({ kind, name }) => {
    const tag = name.replace(/_(drop|journal|\d+)$/, '');
    return { kind, name, tag, byHand: byHand(kind, name, tag) };
  });
}

function byHand(kind: Found['kind'], name: string, tag: string): string {
  const texts: Partial<Record<Found['kind'], readonly Command[]>> = {
    subscription: [disableSubscription, detachSlot, dropSubscription],
    slot: [dropSlot],
    publication: [dropPublication],
    'event trigger': dropFreeze,
    function: dropFreeze,
  };
  // What is in it is a run's own; whoever looks sees it first.
  if (kind === 'side schema') return `DROP SCHEMA ${quoteIdentifier(name)} CASCADE;`;
  const values = { tag, tag_drop: `${tag}_drop`, slot: name };
  return (texts[kind] ?? []).map((command) => `${fill(command, values)};`).join(' ');
}

/** The schema is every run's. */
async function inSchema(session: Session): Promise<Found[]> {
  if ((await ownSchema(session)).schema !== 'ours') return [];
  return [{ kind: 'schema', name: 'steadyhand', tag: null, byHand: `${dropSchema.text};` }];
}

/** The pooler's file may be the worker's machine's, and not be seen from this one. */
async function atPooler(servers: Servers, database: string): Promise<TaggedObject[]> {
  const { pooler } = servers.entry(database);
  if (!pooler) return [];
  const name = nextAlias(pooler.alias);
  const aliases = await readAliases(pooler.configFile);
  if (!aliases.has(name)) return [];
  return [
    { database, kind: 'pooler alias', name, tag: null, byHand: `remove "${name}" from the pooler's file, then RELOAD; in its console` },
  ];
}
