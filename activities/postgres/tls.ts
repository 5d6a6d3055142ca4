import { readFile } from 'node:fs/promises';
import { getCACertificates, type ConnectionOptions } from 'node:tls';
import { Failure } from '../../domain/failure.ts';
import type { TlsMode } from '../../domain/inventory.ts';
import { tlsRefusal } from '../../domain/tls-refusal.ts';

/** How a connection is protected: the inventory's words. */
export interface Tls {
  readonly sslmode: TlsMode;
  /** A file of this machine with the authority's certificate; the system's authorities when absent. */
  readonly sslrootcert?: string | undefined;
}

/** For the driver. Throws `configuration-invalid` when the authority's file cannot be read. */
export async function tlsOptions({ sslmode, sslrootcert }: Tls): Promise<ConnectionOptions | false> {
  if (sslmode === 'disable') return false;
  if (sslmode === 'require') return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, ca: sslrootcert === undefined ? systemAuthorities() : await authority(sslrootcert) };
}

const systemAuthorities = (): string[] => [...getCACertificates('system'), ...getCACertificates('bundled')];

async function authority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Failure('configuration-invalid', `sslrootcert: the file ${file} cannot be read by this process`, { file }, error);
  }
}

export interface Refused extends Tls {
  readonly where: string;
  /** As the inventory names it: what the certificate must be made for. */
  readonly host: string;
}

/** `tls-refused` with what to do, when the error is one of TLS; else undefined. */
export function tlsFailure(error: unknown, { where, host, sslrootcert }: Refused): Failure | undefined {
  const refusal = tlsRefusal(error, { host, sslrootcert });
  return refusal && new Failure('tls-refused', `${where}: ${refusal.why}`, { where, code: refusal.code }, error);
}
