import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PayloadKey } from '../temporal/payload-codec.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const keyBytes = 32;
const entryForm = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(file|env):(.+)$/;

/**
 * STEADYHAND_PAYLOAD_KEYS: `2026-11=file:/run/secrets/payload_2026_11, 2026-05=env:PAYLOAD_2026_05`. The keys' bytes stand in the
 * files or variables that are named, 32 in base64 or hex. All problems, none with a value.
 */
export function readPayloadKeys(list: string, environment: Environment): { keys: PayloadKey[]; problems: string[] } {
  const keys: PayloadKey[] = [];
  const problems: string[] = [];
  const entries = list.split(',').map((entry) => entry.trim());
  for (const [index, entry] of entries.filter((one) => one !== '').entries()) {
    const read = keyOf(entry, environment);
    // An entry that is not understood may be a key itself: it is told by its place.
    if (typeof read === 'string') problems.push(`entry ${index + 1}: ${read}`);
    else if (keys.some(({ id }) => id === read.id)) problems.push(`entry ${index + 1}: there is another key "${read.id}"`);
    else keys.push(read);
  }
  return { keys, problems };
}

function keyOf(entry: string, environment: Environment): PayloadKey | string {
  const [, id = '', kind, where = ''] = entryForm.exec(entry) ?? [];
  if (id === '') return 'it must say <id>=file:<path> or <id>=env:<variable>';
  const text = kind === 'file' ? contentOf(where) : environment[where];
  if (text === undefined) return kind === 'file' ? `the file ${where} can not be read` : `the variable ${where} is not set`;
  const bytes = bytesOf(text.trim());
  if (bytes === undefined) return `the key "${id}" must be ${keyBytes} bytes in base64 or hex: \`openssl rand -base64 ${keyBytes}\``;
  return { id, key: createSecretKey(bytes) };
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function bytesOf(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=$/, '');
  return /^[A-Za-z0-9+/]{43}$/.test(plain) ? Buffer.from(plain, 'base64') : undefined;
}
