import { chmod, cp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { buildOnce } from './build-once.ts';
import { isExecutable } from './find-program.ts';
import { openToPostgres } from './postgres-user.ts';

export type EmbeddedMajor = 16 | 18;

const symlinks = z.array(z.object({ source: z.string(), target: z.string() }));
const packageFile = z.object({ version: z.string() });

export interface Bringing {
  /** How a build that takes long is reported, default standard error. */
  readonly log?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The `bin` folder of the embedded PostgreSQL of that major version, copied to the cache on first use: the package lacks its
 * libraries' symlinks, and may lie where the postgres user cannot go.
 */
export async function postgresBinaries(major: EmbeddedMajor, cache: string, bringing: Bringing = {}): Promise<string> {
  const root = packageRoot(major);
  const { version } = packageFile.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const finished = join(cache, `postgres-${version}`);
  await buildOnce({
    ...bringing,
    what: `PostgreSQL ${shortened(version)}`,
    finished,
    isThere: () => isExecutable(join(finished, 'bin/postgres')),
    build: async ({ folder }) => {
      await openToPostgres(cache);
      await copyPrograms(root, folder);
    },
  });
  return join(finished, 'bin');
}

/** Of the embedded PostgreSQL, such as `16.14`. */
export async function embeddedVersion(major: EmbeddedMajor): Promise<string> {
  const { version } = packageFile.parse(JSON.parse(await readFile(join(packageRoot(major), 'package.json'), 'utf8')));
  return shortened(version);
}

/** `16.14.0-beta.17` → `16.14`. */
function shortened(version: string): string {
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

async function copyPrograms(root: string, folder: string): Promise<void> {
  await cp(join(root, 'native'), folder, { recursive: true });
  const links = symlinks.parse(JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8')));
  for (const { source, target } of links) {
    const link = join(folder, target.replace(/^native\//, ''));
    await rm(link, { force: true });
    await symlink(basename(source), link);
  }
  for (const program of await readdir(join(folder, 'bin'))) await chmod(join(folder, 'bin', program), 0o755);
}
