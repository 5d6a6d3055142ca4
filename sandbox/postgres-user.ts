import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { Failure } from '../domain/failure.ts';

/** PostgreSQL and PgBouncer refuse to run as root: then they run as `postgres`, else `nobody`. Undefined when we are not root. */
export function postgresUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  if (!found) throw new Failure('tool-missing', 'PostgreSQL does not run as root, and there is no user postgres or nobody on this machine');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

/** Gives a file or folder to that user; nothing when we are not root. */
export async function giveToPostgres(path: string): Promise<void> {
  const user = postgresUser();
  if (user) await chown(path, user.uid, user.gid);
}

/** Throws `cache-unusable` when we are root and that user may not enter the folder, in which its programs are to lie. */
export async function openToPostgres(folder: string): Promise<void> {
  const user = postgresUser();
  if (!user) return;
  const enters = spawn('/bin/sh', ['-c', 'cd "$0"', folder], { cwd: '/', stdio: 'ignore', ...user });
  const [code] = await once(enters, 'exit');
  if (code === 0) return;
  throw new Failure(
    'cache-unusable',
    `PostgreSQL does not run as root, and the user that it runs as (uid ${user.uid}) may not enter the cache ${folder}`,
    { cache: folder },
  );
}
