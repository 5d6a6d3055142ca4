import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { readConfig, type Environment } from '../../worker/config.ts';

const least = { STEADYHAND_INVENTORY: 'steadyhand.yaml', STEADYHAND_CONTROL_URL: 'postgres://app@db/control' };

function refused(environment: Environment): Failure {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('two variables are enough; the others have defaults, and an empty one counts as unset', () => {
  expect(readConfig({ ...least, STEADYHAND_API_PORT: '' })).toMatchObject({
    inventoryFile: 'steadyhand.yaml',
    control: { connectionString: 'postgres://app@db/control' },
    controlOwner: null,
    api: { host: '127.0.0.1', port: 8420 },
    taskQueue: 'steadyhand',
    pgDump: 'pg_dump',
    pgRestore: 'pg_restore',
    logLevel: 'info',
  });
});

test('Temporal is named by the variables that all its tools use', () => {
  const { temporal } = readConfig({ ...least, TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'ops', TEMPORAL_API_KEY: 'k' });
  expect(temporal).toMatchObject({ namespace: 'ops', connectionOptions: { address: 'temporal:7233', apiKey: 'k', tls: true } });
});

test('a password comes from a file of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'steadyhand-config-'));
  const file = join(directory, 'password');
  writeFileSync(file, 'hunter2 \n');
  const config = readConfig({
    ...least,
    STEADYHAND_CONTROL_PASSWORD_FILE: file,
    STEADYHAND_CONTROL_OWNER_URL: 'postgres://owner@db/control',
  });
  rmSync(directory, { recursive: true });
  expect(config.control.password).toBe('hunter2');
  expect(config.controlOwner).toEqual({ connectionString: 'postgres://owner@db/control' });
});

test('all problems are listed together, by variable, without their values', () => {
  const failure = refused({
    STEADYHAND_CONTROL_URL: 'mysql://root:hunter2@db',
    STEADYHAND_API_PORT: 'eighty',
    STEADYHAND_LOG_LEVEL: 'loud',
    STEADYHAND_CONTROL_PASSWORD_FILE: '/does/not/exist',
  });
  expect(failure.code).toBe('configuration-invalid');
  for (const name of ['INVENTORY: is not set', 'CONTROL_URL: ', 'API_PORT: ', 'LOG_LEVEL: ', 'PASSWORD_FILE: '])
    expect(failure.message).toContain(name);
  expect(failure.message).not.toContain('hunter2');
});

test.each([
  ['sslmode=require', 'its sslmode must be verify-full'],
  ['sslmode=verify-full&sslrootcert=/does/not/exist', 'its sslrootcert cannot be read'],
  ['sslrootcert=/dev/null', 'with sslrootcert it needs sslmode=verify-full'],
  ['sslmode=verify-full&sslcert=/dev/null', 'sslcert and sslkey are needed together'],
])('an address of the control database with %s is refused, with what to write', (words, said) => {
  const failure = refused({ ...least, STEADYHAND_CONTROL_URL: `postgres://app:hunter2@db/control?${words}` });
  expect(failure.message).toContain(`STEADYHAND_CONTROL_URL: ${said}`);
  expect(failure.message).not.toContain('hunter2');
});
