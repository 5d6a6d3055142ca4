import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToPostgres } from '../../sandbox/postgres-user.ts';
import type { Authority, Certificate } from './certificates.ts';

/** Settings that switch TLS on in a cluster with this directory; the files come by `writeCertificate`. */
export const tlsSettings = (directory: string): Record<string, string> => ({
  ssl: 'on',
  ssl_cert_file: join(directory, 'server.pem'),
  ssl_key_file: join(directory, 'server.key'),
});

/** `server.pem` and `server.key`, as PostgreSQL and PgBouncer want to have them. */
export async function writeCertificate(directory: string, { certificate, key }: Certificate): Promise<void> {
  for (const [name, text] of [
    ['server.pem', certificate],
    ['server.key', key],
  ] as const) {
    await writeFile(join(directory, name), text, { mode: 0o600 });
    await giveToPostgres(join(directory, name));
  }
}

/** The authority's file for clients; everybody may read it. */
export async function writeAuthority(directory: string, { certificate }: Pick<Authority, 'certificate'>, name = 'ca.pem'): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, certificate, { mode: 0o644 });
  return file;
}
