import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { Before } from '../../domain/step.ts';
import type { NoReturn } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import { conninfo } from '../replication/conninfo.ts';
import { changing, looking, type Sides } from '../replication/side.ts';
import { copiedObjects, dropObjects, dumpSchema, restoreSchema } from './commands.ts';
import { inspectSide } from './inspect-side.ts';
import { carriedConfiguration } from '../replication/configuration-commands.ts';
import { fewerExtensionRows } from './not-carried.ts';
import { lackingConfiguration } from './configuration.ts';
import { objectsOf, sequenceName } from './objects-of.ts';
import { withPrivateFolder, writePasswordFile } from './password-file.ts';
import { missingTool, runTool, type Tools } from './run-tool.ts';
import type { Session } from './session.ts';

/**
 * pg_dump of the source's schema, pg_restore into the target in one transaction: all of it or nothing. Journal: what it makes
 * (`makes`) and what of that was there before (`was`). Repeats safely: a second time it finds what the first one made. Raises
 * `tool-missing`, `tool-failed`, and `foreign-object` when the target has objects of these names that the run did not make.
 */
export async function copySchema(sides: Sides, tools: Tools, attempt: Attempt): Promise<{ objects: number }> {
  const { migration, facts } = sides;
  const makes = copiedObjects(facts);
  const there = await present(sides, makes);
  const first = await attempt.intend({ makes, was: there });
  const foreign = listOf(first, 'was');
  if (foreign.length > 0) {
    const some = foreign.slice(0, 10).join(', ');
    throw new Failure('foreign-object', `${migration.target} has ${foreign.length} objects already that would be copied: ${some}`, {
      objects: foreign,
    });
  }
  if (there.length === 0 && makes.length > 0) {
    const missing = await missingTool(tools, facts.binding.source.version);
    if (missing !== undefined) throw new Failure('tool-missing', missing);
    await dumpAndRestore(sides, tools, attempt);
  }
  const made = await present(sides, makes);
  if (made.length < makes.length) {
    const lacks = makes.filter((one) => !made.includes(one));
    const some = lacks.slice(0, 10).join(', ');
    throw new Failure('drift', `${migration.target} lacks ${lacks.length} objects of the source: ${some}`, {
      objects: lacks.slice(0, 100),
    });
  }
  await refuseOtherExtensions(sides);
  await attempt.settle(there.length > 0 ? 'adopted' : 'made');
  return { objects: makes.length };
}

/** The target's extension may be a newer one, with other tables: better known now than in the switch. */
async function refuseOtherExtensions(sides: Sides): Promise<void> {
  const { servers, migration, facts } = sides;
  const there = await inspectSide(servers, migration.target, {});
  const sequences = new Set(there.sequences.map(sequenceName));
  const lacks = [
    ...lackingConfiguration(carriedConfiguration(migration, facts), there.configuration),
    ...facts.binding.source.sequences.filter((one) => !sequences.has(sequenceName(one))).map((one) => `${one.schema}.${one.name}`),
    ...(await looking(
      sides,
      'source',
      async (source) => await looking(sides, 'target', async (target) => await fewerExtensionRows(source, target, migration.leave)),
    )),
  ];
  if (lacks.length === 0) return;
  throw new Failure(
    'objects-differ',
    `the extensions of ${migration.target} lack what holds rows or values on the source: ${lacks.slice(0, 10).join(', ')}`,
    { lacks: lacks.slice(0, 100) },
  );
}

async function dumpAndRestore(sides: Sides, tools: Tools, attempt: Attempt): Promise<void> {
  const { environment } = tools;
  await withPrivateFolder(async (folder) => {
    const dump = join(folder, 'schema.dump');
    attempt.progress({ summary: 'pg_dump reads the source' });
    // The programs can't tell which server answers them, so it is looked at right before.
    await looking(sides, 'source', async (session) => await session.query('SELECT'));
    const source = await loginOf(sides, 'source', folder);
    await runTool({ path: tools.pgDump ?? '', environment }, dumpSchema, { dump, source }, attempt.signal);
    attempt.progress({ summary: 'pg_restore writes the target', fraction: 0.5 });
    const target = await loginOf(sides, 'target', folder);
    await looking(sides, 'target', async (session) => await session.query('SELECT'));
    await attempt.current();
    await runTool({ path: tools.pgRestore ?? '', environment }, restoreSchema, { dump, target }, attempt.signal);
  });
}

async function loginOf({ servers, migration }: Sides, side: 'source' | 'target', folder: string): Promise<string> {
  const { server } = servers.entry(migration[side]);
  const password = await servers.secret(server.secret);
  const passfile = join(folder, `${side}-password`);
  if (password !== undefined) await writePasswordFile(passfile, password);
  const { host, port, dbname, user, sslmode, sslrootcert } = server;
  const login = { host, port, dbname, user, sslmode, sslrootcert, applicationName: side === 'source' ? 'pg_dump' : 'pg_restore' };
  return conninfo(password === undefined ? login : { ...login, passfile });
}

/** Which of these objects the target has now. */
async function present({ servers, migration }: Sides, objects: readonly string[]): Promise<string[]> {
  const now = new Set(objectsOf(await inspectSide(servers, migration.target, {})));
  return objects.filter((one) => now.has(one));
}

function listOf(before: Before, name: string): string[] {
  const list = before[name];
  return Array.isArray(list) ? list.map(String) : [];
}

/**
 * Drops from the target exactly what the journal says the copy made. Never CASCADE: what somebody else hung on it stays, with
 * what it hangs on, and is raised as `foreign-object`. Right when the copy never happened, and twice. Raises `conflict` after the
 * point of no return.
 */
export async function removeSchema(sides: Sides, noReturn: NoReturn, attempt: Attempt): Promise<void> {
  const before = attempt.intended;
  if (before === null) return await attempt.settle('nothing-to-undo');
  if ((await noReturn.read(attempt.run))?.side === 'forward') {
    throw new Failure('conflict', `${sides.migration.target} is the database in charge since the switch; nothing of it is dropped`);
  }
  await attempt.intend({});
  const was = new Set(listOf(before, 'was'));
  const ours = listOf(before, 'makes').filter((one) => !was.has(one));
  if ((await present(sides, ours)).length > 0) {
    await changing(sides, 'target', attempt, async (session) => await dropAll(session, ours));
  }
  const left = await present(sides, ours);
  if (left.length > 0) {
    throw new Failure(
      'foreign-object',
      `on ${sides.migration.target} these could not be dropped, other objects hang on them: ${left.join(', ')}`,
      { left },
    );
  }
  await attempt.settle('undone');
}

const dependentObjects = '2BP01';

/** In rounds, each leaving those out that others still hang on, until a round gets no further. */
async function dropAll(session: Session, objects: readonly string[]): Promise<void> {
  let commands = dropObjects(objects);
  for (;;) {
    const stuck = [];
    for (const command of commands) {
      try {
        await session.run(command);
      } catch (error) {
        if (!(error instanceof Failure) || error.facts['sqlstate'] !== dependentObjects) throw error;
        stuck.push(command);
      }
    }
    if (stuck.length === 0 || stuck.length === commands.length) return;
    commands = stuck;
  }
}
