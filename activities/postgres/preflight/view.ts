import type { Move } from '../../../control/contract.ts';
import type { Migration } from '../../replication/contract.ts';
import type { MigrationFacts, SideFacts } from '../../replication/facts.ts';
import type { Finding } from '../contract.ts';
import type { Tools } from '../run-tool.ts';
import type { Servers, Session } from '../session.ts';

/** What a check has to look with: the facts, and a session for looking on each side. */
export interface View {
  readonly servers: Servers;
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly source: Session;
  readonly target: Session;
  readonly tools: Tools;
  /** The run's tag: what carries it is its own. */
  readonly tag: string;
  /** The run has begun to fill the target, so rows there are its own. */
  readonly copying: boolean;
  /** Of the server with the control database. */
  readonly controlSystem: string;
  /** The run that moved this source away before; the plan has refused it unless people opened it again. */
  readonly move: Move | null;
}

export type Found = Omit<Finding, 'check'>;

/** A check of the preflight: what it is called, and how it looks. No finding means that all is well. */
export interface Check {
  readonly name: string;
  look(view: View): Promise<readonly Found[]> | readonly Found[];
}

export const blocks = (evidence: string, fix: string): Found => ({ level: 'blocks', evidence, fix });
export const warns = (evidence: string, fix: string): Found => ({ level: 'warns', evidence, fix });
export const informs = (evidence: string): Found => ({ level: 'informs', evidence, fix: '' });

/** "tables without a key (12): a, b, c … and 2 more", with the first ten names. */
export function listed(names: readonly string[], what: string): string {
  const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
  const count = names.length > 1 ? ` (${names.length})` : '';
  return `${what}${count}: ${names.slice(0, 10).join(', ')}${more}`;
}

export const named = (one: { schema: string; name: string }): string => `${one.schema}.${one.name}`;

/** "16.14", as people name it. */
export function versionText({ version }: Pick<SideFacts, 'version'>): string {
  return `${Math.floor(version / 10_000)}.${version % 10_000}`;
}

export const majorOf = ({ version }: Pick<SideFacts, 'version'>): number => Math.floor(version / 10_000);
