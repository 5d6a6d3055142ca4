import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { isExecutable } from './find-program.ts';

export type EmbeddedMajor = 16 | 18;

const symlinks = z.array(z.object({ source: z.string(), target: z.string() }));
const packageFile = z.object({ version: z.string() });

/**
 * The `bin` folder of the embedded PostgreSQL of that major version, copied to the cache on first use: the package lacks its
 * libraries' symlinks, and may lie where the postgres user cannot go. Safe to call several times at once.
 */
export async function postgresBinaries(major: EmbeddedMajor, cache: string): Promise<string> {
  const root = packageRoot(major);
  const { version } = packageFile.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const finished = join(cache, `postgres-${version}`);
  if (!isExecutable(join(finished, 'bin/postgres'))) await build(root, finished);
  return join(finished, 'bin');
}

/** Of the embedded PostgreSQL, such as `16.14`. */
export async function embeddedVersion(major: EmbeddedMajor): Promise<string> {
  const { version } = packageFile.parse(JSON.parse(await readFile(join(packageRoot(major), 'package.json'), 'utf8')));
  return version.split('.').slice(0, 2).join('.');
}

function packageRoot(major: EmbeddedMajor): string {
  const name = `postgres-${major}-${process.platform}-${process.arch}`;
  try {
    // The package's entry is dist/index.js.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new Failure('tool-missing', `the package ${name} is not installed; \`npm ci\` brings it on Linux and macOS`, { name }, error);
  }
}

/** Built beside its place and renamed: whoever sees the folder sees all of it. The loser of a race throws its copy away. */
async function build(root: string, finished: string): Promise<void> {
  const building = `${finished}.${process.pid}`;
  await mkdir(dirname(finished), { recursive: true });
  await rm(building, { recursive: true, force: true });
  await cp(join(root, 'native'), building, { recursive: true });
  const links = symlinks.parse(JSON.parse(await readFile(join(building, 'pg-symlinks.json'), 'utf8')));
  for (const { source, target } of links) {
    const link = join(building, target.replace(/^native\//, ''));
    await rm(link, { force: true });
    await symlink(basename(source), link);
  }
  await chmod(building, 0o755);
  for (const program of await readdir(join(building, 'bin'))) await chmod(join(building, 'bin', program), 0o755);
  await rename(building, finished).catch(async (error: unknown) => {
    await rm(building, { recursive: true, force: true });
    if (!isExecutable(join(finished, 'bin/postgres'))) throw error;
  });
}
