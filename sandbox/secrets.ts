import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Layout } from './layout.ts';

/** The passwords of one sandbox, made anew each time, each also in a file of its own that only its owner reads. */
export interface Secrets {
  readonly steadyhand: string;
  readonly orders_app: string;
  readonly steadyhand_owner: string;
  readonly steadyhand_app: string;
}

const names = ['steadyhand', 'orders_app', 'steadyhand_owner', 'steadyhand_app'] as const;

export async function makeSecrets(layout: Layout): Promise<Secrets> {
  await mkdir(layout.secrets, { recursive: true, mode: 0o700 });
  const secrets = { steadyhand: make(), orders_app: make(), steadyhand_owner: make(), steadyhand_app: make() };
  for (const name of names) await writeFile(layout.secretFile(name), `${secrets[name]}\n`, { mode: 0o600 });
  return secrets;
}

function make(): string {
  return randomBytes(24).toString('base64url');
}
