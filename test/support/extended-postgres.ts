import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The files of an extension in SQL alone, by their names. */
export type ExtensionFiles = Readonly<Record<string, string>>;

/** Below the folder, for `extension_control_path` of an 18. */
export async function writeExtensions(folder: string, files: ExtensionFiles): Promise<string> {
  const extensions = join(folder, 'extension');
  await mkdir(extensions, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(extensions, name), text);
  return folder;
}

/**
 * Debian's PostgreSQL 15 with more extensions, without touching the installed one: a server finds its files from where its own program
 * is, so this one has copies of the programs, links to the rest, and a folder of extensions of its own. Returns the programs' folder.
 */
export async function extendedPostgres15(folder: string, bin: string, files: ExtensionFiles): Promise<string> {
  const own = { bin: join(folder, 'lib/postgresql/15/bin'), share: join(folder, 'share/postgresql/15') };
  await mkdir(own.bin, { recursive: true });
  await mkdir(own.share, { recursive: true });
  for (const program of ['postgres', 'initdb', 'pg_ctl']) await copyFile(join(bin, program), join(own.bin, program));
  await symlink(join(bin, '../lib'), join(folder, 'lib/postgresql/15/lib'));
  const share = join(bin, '../../../../share/postgresql/15');
  await linkAll(share, own.share, ['extension']);
  await writeExtensions(own.share, files);
  await linkAll(join(share, 'extension'), join(own.share, 'extension'), []);
  return own.bin;
}

async function linkAll(from: string, to: string, but: readonly string[]): Promise<void> {
  for (const name of await readdir(from)) if (!but.includes(name)) await symlink(join(from, name), join(to, name));
}
