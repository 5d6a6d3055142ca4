import { readFileSync } from 'node:fs';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import type { PayloadKey } from '../temporal/payload-codec.ts';
import { controlAddress } from './control-address.ts';
import { readPayloadKeys } from './payload-keys.ts';

/** The service's own configuration: of the worker, the API and every host command. */
export interface Config {
  /** `steadyhand.yaml`: databases, people, policies. */
  readonly inventoryFile: string;
  /** The control database as the application's role. */
  readonly control: DatabaseLogin;
  /** The control database as its owner, for migrations only; null where nobody migrates. */
  readonly controlOwner: DatabaseLogin | null;
  readonly api: {
    readonly host: string;
    readonly port: number;
    /** Requests a second and token; ten seconds' worth may come at once. */
    readonly rate: number;
    /** Streams of events that may be open at once, and of them by one token. */
    readonly streams: { readonly inAll: number; readonly perToken: number };
    /** Unknown tokens that one address may try in a minute. */
    readonly refusals: number;
    /** Addresses and networks whose X-Forwarded-For is believed. */
    readonly proxies: readonly string[];
  };
  readonly taskQueue: string;
  /** Milliseconds between two looks at what AWS has been asked for. */
  readonly awsLookMs: number;
  readonly pgDump: string;
  readonly pgRestore: string;
  /** What pg_dump and pg_restore are given of the environment. */
  readonly toolEnvironment: Readonly<Record<string, string>>;
  readonly logLevel: LogLevel;
  /** The first one encrypts what Temporal keeps, all decrypt; none: it is not encrypted. */
  readonly payloadKeys: readonly PayloadKey[];
  /** The origin of Temporal's web page, which may ask the API to decrypt; null: none may. */
  readonly temporalPage: string | null;
  /** By the names that all Temporal tools use: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…. */
  readonly temporal: ClientConnectConfig;
}

/** Never log it: the address or the field may hold a password. */
export interface DatabaseLogin {
  readonly connectionString: string;
  readonly password?: string;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

const path = z.string().min(1, 'the path of a file is missing');

/** The content of the file that the variable names, without the line's end. */
const secretFile = path.transform((file, context) => {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: `the file ${file} cannot be read (${error instanceof Error ? error.message : 'unknown'})`,
    });
    return z.NEVER;
  }
});

/** Addresses and networks with commas between, each such as 10.0.0.7 or 10.0.0.0/8. */
const networks = z
  .string()
  .transform((text) => text.split(',').map((one) => one.trim()))
  .pipe(z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error: 'addresses or networks are needed, such as 10.0.0.0/8' })));

const schema = z
  .object({
    STEADYHAND_INVENTORY: path,
    STEADYHAND_CONTROL_URL: controlAddress,
    STEADYHAND_CONTROL_PASSWORD_FILE: secretFile.optional(),
    STEADYHAND_CONTROL_OWNER_URL: controlAddress.optional(),
    STEADYHAND_CONTROL_OWNER_PASSWORD_FILE: secretFile.optional(),
    STEADYHAND_API_HOST: z.string().min(1).default('127.0.0.1'),
    STEADYHAND_API_PORT: z.coerce.number().int().min(0).max(65_535).default(8420),
    STEADYHAND_API_RATE: z.coerce.number().min(0.1).max(100_000).default(20),
    STEADYHAND_API_STREAMS: z.coerce.number().int().min(1).max(100_000).default(1_000),
    STEADYHAND_API_STREAMS_PER_TOKEN: z.coerce.number().int().min(1).max(100_000).default(50),
    STEADYHAND_API_REFUSALS: z.coerce.number().int().min(1).max(100_000).default(30),
    STEADYHAND_API_PROXIES: networks.default([]),
    STEADYHAND_TASK_QUEUE: z.string().min(1).default('steadyhand'),
    STEADYHAND_AWS_LOOK_SECONDS: z.coerce.number().min(0.1).max(300).default(10),
    STEADYHAND_PG_DUMP: path.default('pg_dump'),
    STEADYHAND_PG_RESTORE: path.default('pg_restore'),
    STEADYHAND_LOG_LEVEL: z.enum(logLevels).default('info'),
    STEADYHAND_PAYLOAD_KEYS: z.string().optional(),
    STEADYHAND_TEMPORAL_PAGE: z
      .url({ protocol: /^https?$/, error: 'an address such as https://temporal.example.com is needed' })
      .optional(),
  })
  .transform((read): Omit<Config, 'temporal' | 'payloadKeys' | 'toolEnvironment'> => ({
    inventoryFile: read.STEADYHAND_INVENTORY,
    control: login(read.STEADYHAND_CONTROL_URL, read.STEADYHAND_CONTROL_PASSWORD_FILE),
    controlOwner:
      read.STEADYHAND_CONTROL_OWNER_URL === undefined
        ? null
        : login(read.STEADYHAND_CONTROL_OWNER_URL, read.STEADYHAND_CONTROL_OWNER_PASSWORD_FILE),
    api: {
      host: read.STEADYHAND_API_HOST,
      port: read.STEADYHAND_API_PORT,
      rate: read.STEADYHAND_API_RATE,
      streams: { inAll: read.STEADYHAND_API_STREAMS, perToken: read.STEADYHAND_API_STREAMS_PER_TOKEN },
      refusals: read.STEADYHAND_API_REFUSALS,
      proxies: read.STEADYHAND_API_PROXIES,
    },
    taskQueue: read.STEADYHAND_TASK_QUEUE,
    awsLookMs: read.STEADYHAND_AWS_LOOK_SECONDS * 1_000,
    pgDump: read.STEADYHAND_PG_DUMP,
    pgRestore: read.STEADYHAND_PG_RESTORE,
    logLevel: read.STEADYHAND_LOG_LEVEL,
    temporalPage: read.STEADYHAND_TEMPORAL_PAGE === undefined ? null : new URL(read.STEADYHAND_TEMPORAL_PAGE).origin,
  }));

/**
 * Environment → one validated object. A variable that is empty counts as unset. Throws `configuration-invalid` with *all*
 * problems, each by its variable's name and never with its value.
 */
export function readConfig(environment: Environment): Config {
  const set = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
  const read = schema.safeParse(set);
  const temporal = readTemporal(set);
  const keys = readPayloadKeys(set['STEADYHAND_PAYLOAD_KEYS'] ?? '', set);
  const problems = [
    ...(read.success ? [] : read.error.issues.map(problemOf)),
    ...('problem' in temporal ? [temporal.problem] : []),
    ...keys.problems.map((message) => ({ variable: 'STEADYHAND_PAYLOAD_KEYS', message })),
  ];
  if (!read.success || 'problem' in temporal || keys.problems.length > 0) throw invalid(problems);
  return { ...read.data, temporal: temporal.config, payloadKeys: keys.keys, toolEnvironment: toolEnvironment(set) };
}

/** Programs need to find libraries, language, time zone and Kerberos' tickets; nothing else of ours, where secrets may stand. */
function toolEnvironment(environment: Record<string, string>): Record<string, string> {
  const needed = /^(?:PATH|HOME|TMPDIR|TZ|LANG|LC_[A-Z]+|(?:DY)?LD_LIBRARY_PATH|SSL_CERT_(?:FILE|DIR)|KRB5[A-Z_]*|PGSYSCONFDIR)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => needed.test(name)));
}

interface ConfigProblem {
  readonly variable: string;
  readonly message: string;
}

function problemOf(issue: z.core.$ZodIssue): ConfigProblem {
  const missing = issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined');
  return { variable: issue.path.map(String).join('.'), message: missing ? 'is not set' : issue.message };
}

function readTemporal(environment: Record<string, string>): { config: ClientConnectConfig } | { problem: ConfigProblem } {
  const [certificate, key] = ['CERT', 'KEY'].map((what) =>
    ['PATH', 'DATA'].some((how) => `TEMPORAL_TLS_CLIENT_${what}_${how}` in environment),
  );
  // The library would go on without either.
  if (certificate !== key)
    return { problem: { variable: 'TEMPORAL_TLS_CLIENT_…', message: 'certificate and key are needed together, or neither' } };
  try {
    return { config: loadClientConnectConfig({ overrideEnvVars: environment }) };
  } catch (error) {
    return { problem: { variable: 'TEMPORAL_…', message: error instanceof Error ? error.message : String(error) } };
  }
}

function invalid(problems: readonly ConfigProblem[]): Failure {
  const list = problems.map((one) => `  ${one.variable}: ${one.message}`).join('\n');
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new Failure('configuration-invalid', `${count} in the environment:\n${list}`, { problems });
}

function login(connectionString: string, password: string | undefined): DatabaseLogin {
  return password === undefined ? { connectionString } : { connectionString, password };
}
