import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { giveToPostgres } from '../../postgres-user.ts';

/**
 * Copies a folder for the postgres user, without the paths that `skip` names. What vanishes meanwhile is passed over: under a
 * running server files come and go, and its WAL makes good for that.
 */
export async function copyFolder(from: string, to: string, skip: (path: string) => boolean = () => false): Promise<void> {
  await copyPart({ from, to, skip }, from, to);
}

interface Copying {
  readonly from: string;
  readonly to: string;
  readonly skip: (path: string) => boolean;
}

async function copyPart(copying: Copying, from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  await giveToPostgres(to);
  const names = await readdir(from).catch(unlessGone([]));
  await Promise.all(names.map((name) => copyOne(copying, join(from, name), join(to, name))));
}

async function copyOne(copying: Copying, from: string, to: string): Promise<void> {
  if (copying.skip(relative(copying.from, from))) return;
  const found = await lstat(from).catch(unlessGone(undefined));
  if (found?.isDirectory()) await copyPart(copying, from, to);
  else if (found?.isSymbolicLink()) await symlink(await readlink(from), to);
  else if (found?.isFile()) {
    const copied = await copyFile(from, to, constants.COPYFILE_FICLONE).then(() => true, unlessGone(false));
    if (copied) await giveToPostgres(to);
  }
}

function unlessGone<Instead>(instead: Instead): (error: unknown) => Instead {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead;
    throw error;
  };
}
