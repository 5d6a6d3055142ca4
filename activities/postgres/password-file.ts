import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that only this process's user can enter, for as long as `work` runs; then it is removed with all that is in it. */
export async function withPrivateFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'steadyhand-'));
  try {
    await chmod(folder, 0o700);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** libpq's password file with one password for every server, so that it never is an argument or in the environment. */
export async function writePasswordFile(path: string, password: string): Promise<void> {
  const escaped = password.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
  await writeFile(path, `*:*:*:*:${escaped}\n`, { mode: 0o600 });
}
