import { rename, writeFile } from 'node:fs/promises';
import { giveToPostgres } from '../../postgres-user.ts';
import type { Instance } from '../rds/model.ts';
import type { Folders } from './folders.ts';
import { superuser } from './roles.ts';
import { isOn } from './settings-of.ts';

/** Writes who may connect and how: with `rds.force_ssl` none but AWS itself without TLS. PostgreSQL reads it at a start and a reload. */
export async function writeAccess(folders: Folders, instance: Instance): Promise<void> {
  const file = folders.access(instance);
  const others = isOn(instance, 'rds.force_ssl') ? 'hostssl' : 'host';
  const lines = ['local all all', `host all,replication ${superuser} 127.0.0.1/32`, `${others} all,replication all 127.0.0.1/32`];
  await writeFile(`${file}.new`, lines.map((line) => `${line} scram-sha-256\n`).join(''), { mode: 0o600 });
  await giveToPostgres(`${file}.new`);
  await rename(`${file}.new`, file);
}
