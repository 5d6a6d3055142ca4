import { join } from 'node:path';
import { postgresUser } from '../../postgres-user.ts';
import { runProgram } from '../../run-program.ts';
import type { EngineVersion } from '../versions.ts';

/** A parameter as AWS describes it. */
export interface KnownParameter {
  readonly name: string;
  readonly applyType: 'static' | 'dynamic';
  readonly dataType: 'boolean' | 'integer' | 'float' | 'string';
  readonly modifiable: boolean;
  readonly description: string;
  readonly allowed: string | undefined;
}

/** What AWS keeps for itself. */
const fixed =
  /^(?:archive_|restore_command|recovery_|primary_|listen_addresses|port$|unix_socket|data_directory|config_file|hba_file|ident_file|external_pid|fsync|full_page_writes|wal_level|synchronous_standby|ssl_|hot_standby$|cluster_name|event_source|log_(?:directory|file_mode)|logging_collector|allow_alter_system|server_version|block_size)/;

/** AWS's own ones. They reach PostgreSQL as settings without effect, but for `rds.logical_replication` and `rds.force_ssl`. */
const own: readonly KnownParameter[] = [
  {
    name: 'rds.logical_replication',
    applyType: 'static',
    dataType: 'boolean',
    modifiable: true,
    description: 'Enables logical decoding.',
    allowed: '0,1',
  },
  {
    name: 'rds.force_ssl',
    applyType: 'dynamic',
    dataType: 'boolean',
    modifiable: true,
    description: 'Force SSL connections.',
    allowed: '0,1',
  },
  {
    name: 'rds.log_retention_period',
    applyType: 'dynamic',
    dataType: 'integer',
    modifiable: true,
    description: 'Minutes that logs are kept.',
    allowed: '1440-10080',
  },
  {
    name: 'rds.force_autovacuum_logging_level',
    applyType: 'dynamic',
    dataType: 'string',
    modifiable: true,
    description: 'See log messages of autovacuum.',
    allowed: undefined,
  },
];

/** The two that AWS lets one choose from: its own, and one with all that PostgreSQL can tell, the application's name last. */
const linePrefixes = '%t:%r:%u@%d:[%p]:,%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a';

const types = { BOOLEAN: 'boolean', INTEGER: 'integer', REAL: 'float', STRING: 'string', ENUM: 'string' } as const;
const known = new Map<string, Promise<readonly KnownParameter[]>>();

/** All parameters of that PostgreSQL, from its own description of itself. */
export function knownParameters({ bin }: EngineVersion): Promise<readonly KnownParameter[]> {
  const found = known.get(bin) ?? describeConfig(bin);
  known.set(bin, found);
  return found;
}

async function describeConfig(bin: string): Promise<readonly KnownParameter[]> {
  const text = await runProgram({
    command: join(bin, 'postgres'),
    args: ['--describe-config'],
    environment: { PATH: bin, LC_ALL: 'C' },
    user: postgresUser(),
    timeoutMs: 20_000,
  });
  const parameters = text.split('\n').flatMap(parsed);
  return [...parameters, ...own].toSorted((one, other) => one.name.localeCompare(other.name));
}

/** Its columns: name, context, group, type, default, least, most, description. */
function parsed(line: string): KnownParameter[] {
  const [name, context, , type, , least, most, description] = line.split('\t');
  if (name === undefined || context === undefined || context === 'internal') return [];
  const dataType = Object.entries(types).find(([found]) => found === type)?.[1] ?? 'string';
  const range = least && most ? `${least}-${most}` : undefined;
  return [
    {
      name,
      applyType: context === 'postmaster' ? 'static' : 'dynamic',
      dataType,
      modifiable: !fixed.test(name),
      description: description ?? '',
      allowed: name === 'log_line_prefix' ? linePrefixes : dataType === 'boolean' ? '0,1' : range,
    },
  ];
}
