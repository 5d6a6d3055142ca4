import { expect, test } from 'vitest';
import { readConfig } from '../../worker/config.ts';
import { coded, read, tableOf } from './pages.ts';

/** The keys of the schema, from the source: the schema itself is the configuration's own. */
const variables = [...read('worker/config.ts').matchAll(/^ {4}(STEADYHAND_[A-Z_]+): /gm)].map((match) => match[1] ?? '');
const rows = tableOf('docs/running.md', 'variable', 'default', 'meaning');
const defaultOf = (variable: string): string => coded(rows.find(([name]) => name === variable)?.[1] ?? '')[0] ?? '';

test('docs/running.md lists the variables of worker/config.ts, all of them and no others', () => {
  expect(variables.length).toBeGreaterThan(8);
  expect(rows.map(([name]) => name)).toEqual(variables);
});

test('and so does docs/cli.md', () => {
  const short = tableOf('docs/cli.md', 'variable', 'meaning', 'default').flatMap(([name = '']) => name.match(/STEADYHAND_[A-Z_]+/g) ?? []);
  expect(short).toEqual(variables);
});

test('the defaults are those of the code', () => {
  const needed = rows.filter((row) => row[1] === 'needed').map(([name]) => name);
  expect(needed).toEqual(['STEADYHAND_INVENTORY', 'STEADYHAND_CONTROL_URL']);
  const config = readConfig({ STEADYHAND_INVENTORY: 'steadyhand.yaml', STEADYHAND_CONTROL_URL: 'postgres://app@db/control' });
  expect({
    controlOwner: null,
    api: {
      host: defaultOf('STEADYHAND_API_HOST'),
      port: Number(defaultOf('STEADYHAND_API_PORT')),
      rate: Number(defaultOf('STEADYHAND_API_RATE')),
      streams: {
        inAll: Number(defaultOf('STEADYHAND_API_STREAMS')),
        perToken: Number(defaultOf('STEADYHAND_API_STREAMS_PER_TOKEN')),
      },
      refusals: Number(defaultOf('STEADYHAND_API_REFUSALS')),
      proxies: [],
    },
    taskQueue: defaultOf('STEADYHAND_TASK_QUEUE'),
    awsLookMs: Number(defaultOf('STEADYHAND_AWS_LOOK_SECONDS')) * 1_000,
    pgDump: defaultOf('STEADYHAND_PG_DUMP'),
    pgRestore: defaultOf('STEADYHAND_PG_RESTORE'),
    logLevel: defaultOf('STEADYHAND_LOG_LEVEL'),
  }).toEqual({
    controlOwner: config.controlOwner,
    api: config.api,
    taskQueue: config.taskQueue,
    awsLookMs: config.awsLookMs,
    pgDump: config.pgDump,
    pgRestore: config.pgRestore,
    logLevel: config.logLevel,
  });
});

test.each(['docs/running.md', 'docs/cli.md', 'deploy/temporal/set-up-namespace.sh'])(
  '%s makes the search attributes of the code',
  (file) => {
    const used = [...read('temporal/search-attributes.ts').matchAll(/defineSearchAttributeKey\('(\w+)'/g)].map((match) => match[1] ?? '');
    const made = /^ *for name in (.+); do$/m.exec(read(file))?.[1]?.split(' ');
    expect(used).toHaveLength(5);
    expect(made?.toSorted()).toEqual(used.toSorted());
  },
);

test('the task queues are those that a worker polls', () => {
  const polled = [...read('worker/main.ts').matchAll(/taskQueue: (?:config\.taskQueue|`\$\{config\.taskQueue\}(-\w+)`)[,\s]/g)];
  const told = tableOf('docs/running.md', 'task queue').map(([name = '']) => coded(name)[0]);
  expect(told).toEqual([...new Set(polled.map((match) => `steadyhand${match[1] ?? ''}`))]);
});
