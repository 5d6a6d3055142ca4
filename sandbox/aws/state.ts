import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Job } from './job.ts';
import type { Key } from './key.ts';
import type { SavedAuthority } from './rds/authorities.ts';
import type { RdsRegion } from './rds/model.ts';
import type { Secret } from './secret.ts';

export interface AwsCredential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** ISO 8601; after it, `ExpiredToken`. */
  readonly expires?: string;
  /** Its name in ARNs, default `steadyhand`. */
  readonly user?: string;
  /** Actions such as `rds:DeleteDBInstance` or `rds:*` that it may do; default all. */
  readonly allowed?: readonly string[];
  /** Actions that it may not do, whatever is allowed. */
  readonly denied?: readonly string[];
}

/** How often something was really made, changed or deleted. */
export interface Effect {
  readonly action: string;
  readonly region: string;
  readonly resource: string;
  count: number;
}

export interface AwsState {
  readonly port: number;
  readonly account: string;
  /** Of the superuser of all clusters, whom AWS keeps for itself. */
  readonly rdsadminPassword: string;
  credentials: AwsCredential[];
  rds: Record<string, RdsRegion>;
  keys: Key[];
  secrets: Secret[];
  authorities: Record<string, SavedAuthority>;
  jobs: Job[];
  effects: Effect[];
  lastNumber: number;
}

/** The state of an earlier start, or undefined when the folder is new. */
export function readState(file: string): AwsState | undefined {
  // Nobody but this program writes the file, and always whole.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as AwsState) : undefined;
}

/** Written beside and renamed: a kill leaves the old one or the new one. It has secrets, so it is its owner's only. */
export function writeState(file: string, state: AwsState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Letters and digits as in AWS's own identifiers. */
export function identifier(length: number, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'): string {
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
