import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { apiClient } from '../../cli/client.ts';
import { z } from 'zod';
import { layoutOf } from '../../sandbox/layout.ts';
import { cliTest } from '../cli/place.ts';
import type { Stage } from './stage.ts';

/** Everything that the product says of the runs, and what is told of it by the servers, as one text each. */
export async function everythingSaid(stage: Stage, runs: readonly string[]): Promise<string[]> {
  return [
    ...(await commands(stage, runs)),
    ...(await answers(stage, runs)),
    ...(await histories(stage, runs)),
    await controlDatabase(stage),
    await statistics(stage),
    ...logsOf(stage),
  ];
}

async function commands({ move }: Stage, runs: readonly string[]): Promise<string[]> {
  const { sandbox, database } = move;
  const cli = cliTest({ environment: { ...process.env, ...sandbox.environment, STEADYHAND_TOKEN_FILE: sandbox.tokens['ada'] } });
  const plan = ['migration-cutover', database, '-i', `target=${database}-18`, '-i', 'schema=copy'];
  const lines = [
    ...runs.flatMap((run) => ['', '--plan', '--undo', '--json'].map((how) => ['show', run, ...(how === '' ? [] : [how])])),
    ...[['runs'], ['audit', 'verify'], ['token', 'list'], ['lease', 'show', database], ['plan', ...plan], ['plan', '--offline', ...plan]],
  ];
  const said: string[] = [];
  for (const line of lines) {
    const { code, out, err } = await cli.run(...line);
    said.push(`${line.join(' ')}: ${code}\n${out}${err}`);
  }
  return said;
}

async function answers({ move }: Stage, runs: readonly string[]): Promise<string[]> {
  const { environment, tokens } = move.sandbox;
  const api = apiClient({ environment }, { as: tokens['ada'] ?? '' });
  const ids = runs.map((run) => run.split('/').at(-1) ?? '');
  const paths = ids.flatMap((id) => [`/v1/runs/${id}`, `/v1/runs/${id}/events?limit=1000`, `/v1/runs/${id}/plan`]);
  const said: string[] = [];
  for (const path of ['/openapi.json', ...paths]) {
    said.push(await api.get(path, z.unknown()).then((body) => JSON.stringify(body), String));
  }
  const metrics = await fetch(new URL('/metrics', environment['STEADYHAND_API_URL']));
  const counted = await metrics.text();
  expectSome(counted.match(/^steadyhand_runs_closed\S* [1-9]/m) ?? []);
  return [...said, counted];
}

/** As people see them at Temporal, and as bytes. The server's files are searched besides. */
async function histories({ move }: Stage, runs: readonly string[]): Promise<string[]> {
  return await Promise.all(
    runs.map(async (run) => {
      const { events } = await move.temporal.workflow.getHandle(run).fetchHistory();
      const readable = (_: string, value: unknown): unknown =>
        typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
          ? Buffer.from(value.data as number[]).toString('utf8')
          : value;
      return JSON.stringify(events, (name, value: unknown) =>
        readable(name, value instanceof Uint8Array ? Buffer.from(value).toJSON() : value),
      );
    }),
  );
}

/** Every row of every table: what a dump of it would hold. */
async function controlDatabase({ move }: Stage): Promise<string> {
  const { host, port, superuser: user, password } = move.sandbox.control;
  return await asking({ host, port, user, password, database: 'steadyhand' }, async (client) => {
    const tables = await client.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'steadyhand'",
    );
    expectSome(tables.rows);
    const texts: string[] = [];
    for (const { name } of tables.rows) texts.push(JSON.stringify((await client.query(`SELECT t.*, t::text AS row FROM ${name} t`)).rows));
    return texts.join('\n');
  });
}

/** What the servers count and show of statements, and what stands in catalogs that everybody may read. */
async function statistics({ source, target }: Stage): Promise<string> {
  const looks = [
    'SELECT query FROM pg_stat_statements',
    'SELECT query, application_name FROM pg_stat_activity',
    "SELECT prosrc FROM pg_proc WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')",
    'SELECT subname, subconninfo FROM pg_subscription',
    'SELECT description FROM pg_description WHERE objoid >= 16384',
  ];
  await target.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  const { host, port } = source;
  const of = async (client: pg.Client): Promise<string> => {
    const texts: string[] = [];
    for (const look of looks) texts.push(JSON.stringify((await client.query(look)).rows));
    return texts.join('\n');
  };
  const ours = await of(target);
  // The switch took the login away from every superuser of the old side but the run's own.
  const theirs = await asking({ host, port, user: 'mover', password: process.env['SENTINEL_MOVER'] ?? '', database: 'postgres' }, of);
  // The subscription's own statement is not counted; that others are shows that there was counting.
  expectSome(ours.match(/CREATE EVENT TRIGGER tattle/) ?? []);
  return `${ours}\n${theirs}`;
}

function logsOf({ move, source }: Stage): string[] {
  const { logs } = layoutOf(move.sandbox.directory);
  const files = [...readdirSync(logs).map((name) => `${logs}/${name}`), source.logFile];
  expectSome(files.filter((file) => /worker/.test(file)));
  return files.map((file) => `${file}\n${readFileSync(file, 'utf8')}`);
}

async function asking<Result>(login: pg.ClientConfig, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client(login);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Nothing was looked at: then nothing found says nothing. */
function expectSome(list: readonly unknown[]): void {
  if (list.length === 0) throw new Error('there was nothing to look at');
}
