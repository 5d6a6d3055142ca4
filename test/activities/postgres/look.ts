import { join } from 'node:path';
import { expect } from 'vitest';
import type { Move } from '../../../control/contract.ts';
import type { Finding } from '../../../activities/postgres/contract.ts';
import { preflight } from '../../../activities/postgres/preflight.ts';
import type { Migration } from '../../../activities/replication/contract.ts';
import type { MigrationFacts } from '../../../activities/replication/facts.ts';
import { digestOf } from '../../../domain/digest.ts';
import { Failure } from '../../../domain/failure.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import type { Bench } from '../support.ts';

const bin = postgres15 ?? '';
export const tools = { pgDump: join(bin, 'pg_dump'), pgRestore: join(bin, 'pg_restore') };

export interface Looked {
  readonly findings: readonly Finding[];
  readonly failure: Failure | undefined;
}

export interface Asked {
  readonly way?: Migration['schema'];
  readonly triggers?: Migration['triggers'];
  readonly leave?: Migration['leave'];
  readonly journal?: Journal;
  readonly controlSystem?: string;
  readonly move?: Move;
  /** Facts of a world that can't be made here. */
  readonly facts?: (facts: MigrationFacts) => MigrationFacts;
}

export async function look(
  bench: Bench,
  {
    way = 'already-there',
    triggers = 'refuse',
    leave = [],
    journal = createJournal(),
    controlSystem = '1',
    move,
    facts: changed,
  }: Asked = {},
): Promise<Looked> {
  const { migration, facts } = await bench.prepare({ schema: way, triggers, leave });
  const stored = new Map<string, Finding[]>();
  const deps = {
    tools,
    findings: async (digest: string, body: unknown) => {
      expect(digestOf(body)).toBe(digest);
      // Findings are what the preflight stores.
      stored.set(digest, body as Finding[]);
      await Promise.resolve();
    },
    journal: () => Promise.resolve([]),
    moves: { from: () => Promise.resolve(move ?? null) },
    controlSystemIdentifier: () => Promise.resolve(controlSystem),
  };
  const sides = { servers: bench.servers, migration, facts: changed ? changed(facts) : facts };
  const failure = await preflight(deps, sides, journal.attempt('preflight')).then(
    (summary) => {
      expect(stored.has(summary.findings)).toBe(true);
      return undefined;
    },
    (error: unknown) => {
      if (error instanceof Failure && error.code === 'preflight-blocked') return error;
      throw error;
    },
  );
  return { findings: [...stored.values()].flat(), failure };
}

export const schema = `
  CREATE TABLE orders (id bigserial PRIMARY KEY, note text); CREATE TABLE parcels (id int PRIMARY KEY, n int GENERATED ALWAYS AS (1 + 1) STORED);
  CREATE MATERIALIZED VIEW heaps AS SELECT count(*) FROM orders; CREATE TABLE days (day date PRIMARY KEY) PARTITION BY RANGE (day);`;

export function side(
  name: 'source' | 'target',
  change: Partial<MigrationFacts['binding']['source']>,
): (facts: MigrationFacts) => MigrationFacts {
  return (facts) => ({ ...facts, binding: { ...facts.binding, [name]: { ...facts.binding[name], ...change } } });
}

export function setting(name: 'source' | 'target', key: string, value: string): (facts: MigrationFacts) => MigrationFacts {
  return (facts) => side(name, { settings: { ...facts.binding[name].settings, [key]: value } })(facts);
}
