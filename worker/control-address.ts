import { readFileSync } from 'node:fs';
import { z } from 'zod';

const schemes = ['postgres:', 'postgresql:'];
const modes = ['verify-full', 'disable'];

/** The files that an address may name for TLS, as libpq calls them. */
const files = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/**
 * The address of the control database: `postgres://user@host:5432/dbname`, for TLS with `?sslmode=verify-full` and the files to
 * trust and to log in with. Words that are half a protection elsewhere (require, prefer, verify-ca) are refused; the files must be
 * there. They are read again with each connection, so a certificate that is exchanged needs no restart.
 */
export const controlAddress = z.string().superRefine((text, context) => {
  const problem = (message: string): void => {
    context.addIssue({ code: 'custom', message });
  };
  if (!URL.canParse(text) || !schemes.includes(new URL(text).protocol)) {
    problem('an address such as postgres://user@host:5432/dbname is needed');
    return;
  }
  const { searchParams } = new URL(text);
  const mode = searchParams.get('sslmode');
  if (mode !== null && !modes.includes(mode)) {
    problem('its sslmode must be verify-full (TLS; the certificate and the name in it are checked) or disable');
  }
  const named = files.filter((name) => searchParams.has(name));
  if (named.length > 0 && mode !== 'verify-full') problem(`with ${named.join(' and ')} it needs sslmode=verify-full`);
  if (searchParams.has('sslcert') !== searchParams.has('sslkey')) problem('sslcert and sslkey are needed together, or neither');
  for (const name of named) {
    const why = unreadable(searchParams.get(name) ?? '');
    if (why !== undefined) problem(`its ${name} cannot be read (${why})`);
  }
});

function unreadable(file: string): string | undefined {
  try {
    readFileSync(file);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown';
  }
}
