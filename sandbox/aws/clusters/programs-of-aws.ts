import { createHash } from 'node:crypto';
import { appendFile, cp, link, mkdir, readdir, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildOnce } from '../../build-once.ts';
import type { Bringing } from '../../postgres-binaries.ts';

/** Extensions that AWS lets its master user make, and stock PostgreSQL its superusers only. */
const allowed = [
  ...['amcheck', 'autoinc', 'bloom', 'dblink', 'earthdistance', 'insert_username', 'intagg', 'moddatetime', 'pageinspect'],
  ...['pg_buffercache', 'pg_freespacemap', 'pg_prewarm', 'pg_stat_statements', 'pg_visibility', 'pg_walinspect', 'pgrowlocks'],
  ...['pgstattuple', 'postgres_fdw', 'refint', 'sslinfo'],
];

/** What not everybody may use of them, rds_superuser may: functions, and foreign data wrappers. */
const grants = `
DO $$
DECLARE one regprocedure; wrapper name;
BEGIN
  FOR wrapper IN
    SELECT w.fdwname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.extname = '%name%'
  LOOP
    EXECUTE pg_catalog.format('GRANT USAGE ON FOREIGN DATA WRAPPER %I TO rds_superuser', wrapper);
  END LOOP;
  FOR one IN
    SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.extname = '%name%'
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO rds_superuser', one);
  END LOOP;
END $$;
`;

/** In the folder's name: another version of this file does not find what an earlier one built. */
const version = createHash('sha256')
  .update(JSON.stringify([allowed, grants]))
  .digest('hex')
  .slice(0, 8);

/**
 * The `bin` folder of a PostgreSQL as AWS has it, made beside the embedded one on first use: the same programs, which find their
 * extensions' scripts from where they lie, and there those of AWS's list are trusted.
 */
export async function programsOfAws(bin: string, bringing: Bringing = {}): Promise<string> {
  const stock = dirname(bin);
  const finished = `${stock}-aws-${version}`;
  await buildOnce({
    ...bringing,
    what: `${basename(stock)} as AWS has it`,
    finished,
    isThere: () => existsSync(finished),
    build: async ({ folder }) => await makePrograms(stock, folder),
  });
  return join(finished, 'bin');
}

async function makePrograms(stock: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'));
  // Links that are no symbolic ones: a program looks for its scripts beside where it really lies.
  for (const program of await readdir(join(stock, 'bin'))) await link(join(stock, 'bin', program), join(folder, 'bin', program));
  await symlink(join('..', basename(stock), 'lib'), join(folder, 'lib'));
  await cp(join(stock, 'share'), join(folder, 'share'), { recursive: true });
  await trust(join(folder, 'share', 'postgresql', 'extension'));
}

async function trust(extensions: string): Promise<void> {
  for (const file of await readdir(extensions)) {
    const name = allowed.find((one) => file === `${one}.control` || file.startsWith(`${one}--`));
    if (name === undefined) continue;
    await appendFile(join(extensions, file), file.endsWith('.control') ? '\ntrusted = true\n' : grants.replaceAll('%name%', name));
  }
}
