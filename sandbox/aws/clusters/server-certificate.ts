import { X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { giveToPostgres } from '../../postgres-user.ts';
import type { Authorities, Authority } from '../rds/authorities.ts';
import { endpointName } from '../rds/endpoint-name.ts';
import type { Instance } from '../rds/model.ts';
import type { Folders } from './folders.ts';

/**
 * Issues the certificate that the server presents from its next start on, unless the present one is for its endpoint and of its authority. Certificate and key are one file,
 * so a kill leaves the old pair or the new one.
 */
export async function certify(
  { folders, authorities }: { readonly folders: Folders; readonly authorities: Authorities },
  instance: Instance,
): Promise<void> {
  const [file, name] = [folders.certificate(instance), endpointName(instance)];
  const authority = await authorities.of(instance.region, instance.caCertificate);
  const present = await readFile(file, 'utf8').catch(() => undefined);
  const kept = present !== undefined && isFor(present, name, authority);
  const served = kept ? present : await authority.issue([name, address]);
  if (!kept) await replace(file, served);
  instance.served = { authority: instance.caCertificate, validTill: new X509Certificate(served).validToDate.toISOString() };
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await giveToPostgres(`${file}.new`);
  await rename(`${file}.new`, file);
}

/** Nobody resolves the endpoint's name here, so the certificate is for the address as well. */
const address = '127.0.0.1';

function isFor(text: string, name: string, { publicKey }: Authority): boolean {
  const certificate = new X509Certificate(text);
  return certificate.checkHost(name) !== undefined && certificate.verify(publicKey) && certificate.validToDate > new Date();
}
