import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { giveToPostgres, postgresUser } from '../../postgres-user.ts';

/**
 * Copies what is in a folder, but for what `skip` names, as the postgres user. What vanishes meanwhile is passed over: under a
 * running server files come and go, and its WAL makes good for that.
 */
export async function copyFolder(from: string, to: string, skip: (name: string) => boolean = () => false): Promise<void> {
  await makeFolder(to);
  const names = (await readdir(from)).filter((name) => !skip(name));
  if (names.length === 0) return;
  // A program of the system's: thousands of small files are some seconds' work from here.
  const args = ['-a', ...names.map((name) => join(from, name)), `${to}/`];
  const options = { cwd: '/', env: { LC_ALL: 'C' }, maxBuffer: 16_777_216, ...postgresUser() };
  await new Promise<void>((resolve, reject) => {
    execFile('/bin/cp', args, options, (error, _, complaints) => {
      const serious = complaints.split('\n').filter((line) => line !== '' && !line.endsWith('No such file or directory'));
      if (error && (serious.length > 0 || complaints === '')) reject(error);
      else resolve();
    });
  });
}

/** An empty folder of the postgres user's own. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await mkdir(path, { recursive: true, mode: 0o700 });
  await giveToPostgres(path);
}
