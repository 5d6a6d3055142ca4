import { readdirSync } from 'node:fs';
import { expect, inject, test, vi } from 'vitest';
import type { RunDetail } from '../../control/contract.ts';
import type { FailureCode } from '../../domain/failure.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import { startService } from '../../sandbox/service.ts';
import { movePlace, pooled, type Move } from '../e2e/place.ts';
import { everythingSaid } from './said.ts';
import { grep, watchArguments } from './searching.ts';
import { arrange, awkward, sentinels, type Stage } from './stage.ts';
import { found } from './traces.ts';

// As an operator's shell would have it: api, workers and commands read them there, and nobody whom they start may.
vi.stubEnv('SENTINEL_MOVER', awkward(sentinels.mover));
vi.stubEnv('SENTINEL_KEY', sentinels['payload key']);

const place = movePlace({ logStatement: 'all', size: 1_000 });

test('U5: after cutovers with failures on their way no secret is found anywhere but where it is kept', { timeout: 300_000 }, async () => {
  const stage = await arrange(place);
  const { secrets, move } = stage;
  const watch = watchArguments();
  const shown: string[] = [];
  const runs = [await refused(stage), await rolledBack(stage, shown), await succeeded(stage), await encrypted(stage)];
  const said = [watch.stop(), ...shown, ...(await everythingSaid(stage, runs))];
  for (const text of said) expect(found(secrets, Buffer.from(text)), text.slice(0, 200)).toEqual([]);

  // Both programs were run, and left nothing.
  expect(readdirSync(stage.notes).filter((name) => name.endsWith('.given'))).toEqual(['pg_dump.given', 'pg_restore.given']);
  expect(readdirSync(stage.temporary)).toEqual([]);
  await move.endWorkers('SIGTERM');
  await Promise.all([stage.source, move.sandbox.target, move.sandbox.control].map((one) => one.stop()));
  const hits = await grep(secrets, [stage.notes, move.sandbox.directory], stage.patterns);
  expect(hits.filter((hit) => !kept.some((place) => place.test(hit)))).toEqual([]);
  // The search sees what is there to be seen.
  expect(hits.filter((hit) => hit.startsWith('steadyhand: ')).map((hit) => hit.split('/').at(-1))).toContain('replication.pgpass');
});

/** The files that are there to hold a secret; and PostgreSQL's own of a subscription that was made with a password. */
const kept = [
  /\/secrets\/[^/]+$/,
  /\/tokens\/[^/]+$/,
  /\/replication\.pgpass$/,
  /\/pgbouncer\/userlist\.txt$/,
  /\/superuser-password$/,
  // pg_subscription is the file 6100; a row that was refused or dropped stays in it until it is vacuumed.
  /^copier(?:, wrong)?: .*\/target\/data\/(?:global\/6100$|pg_wal\/)/,
];

/** The target's password is wrong: nothing is begun. */
async function refused({ move, passwords }: Stage): Promise<string> {
  const right = passwords.target.exchange(awkward(sentinels['target, wrong']));
  const run = await move.request({ schema: 'copy' });
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed).toMatchObject({ outcome: 'refused', failure: { code: 'login-refused' } });
  passwords.target.exchange(right);
  return run;
}

/** Until people are asked about just this failure. */
async function parkedWith({ until }: Move, run: string, code: FailureCode): Promise<RunDetail> {
  return await until(run, (now) => now.state === 'parked' && now.questions.some((one) => one.failure?.code === code));
}

const tattle = `
  CREATE FUNCTION public.tattle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'the auditors saw: %', current_query() USING DETAIL = current_query(), HINT = current_query();
  END $$;
  CREATE EVENT TRIGGER tattle ON ddl_command_start WHEN TAG IN ('CREATE SUBSCRIPTION') EXECUTE FUNCTION public.tattle();
  ALTER EVENT TRIGGER tattle ENABLE ALWAYS`;

/** The target throws the statement with the password back, word for word; then the password is wrong; then people say no. */
async function rolledBack({ move, target, passwords }: Stage, shown: string[]): Promise<string> {
  const run = await move.request({ schema: 'copy' });
  void move.taps.source.set({ statement: /CREATE PUBLICATION/, when: 'sent', spring: async () => void (await target.query(tattle)) });
  await move.agree(run, 'approve-prepare');
  const thrown = await parkedWith(move, run, 'server-error');
  expect(thrown.failure?.message).toMatch(/the auditors saw: CREATE SUBSCRIPTION .*password=\*\*\*/s);
  await target.query('DROP EVENT TRIGGER tattle; DROP FUNCTION public.tattle()');
  const right = passwords.copier.exchange(awkward(sentinels['copier, wrong']));
  await move.decide(run, 'grace', 'retry');
  const refusedLogin = await parkedWith(move, run, 'login-refused');
  shown.push(JSON.stringify(refusedLogin));
  passwords.copier.exchange(right);
  void move.taps.target.set({
    statement: /CREATE SUBSCRIPTION/,
    when: 'answered',
    spring: async () => void shown.push(JSON.stringify((await target.query('SELECT query, state FROM pg_stat_activity')).rows)),
  });
  await move.decide(run, 'grace', 'retry');
  await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'));
  await move.decide(run, 'linus', 'reject', `not today, postgres://app:${sentinels.typed}@db/orders is down`);
  expect(await move.until(run, (now) => now.state === 'closed')).toMatchObject({
    outcome: 'rolled-back',
    because: expect.stringContaining('postgres://app:***@db/orders is down'),
    left: [],
  });
  return run;
}

/** With the application's password wrong for a while, and the worker's connections cut in the middle. */
async function succeeded({ move, target, passwords }: Stage): Promise<string> {
  const right = passwords.application.exchange(awkward(sentinels['application, wrong']));
  const run = await move.request({ schema: 'copy' });
  await move.agree(run, 'approve-prepare');
  if (pooled) {
    await parkedWith(move, run, 'login-refused');
    passwords.application.exchange(right);
    await move.decide(run, 'grace', 'retry');
  }
  const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'steadyhand %'";
  void move.taps.target.set({ statement: /CREATE SUBSCRIPTION/, when: 'answered', spring: async () => void (await target.query(cut)) });
  await move.agree(run, 'approve-switch');
  expect(await move.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  return run;
}

/** A worker with keys for Temporal's payloads, and a run that ends in a failure. */
async function encrypted({ move, passwords }: Stage): Promise<string> {
  const { sandbox } = move;
  await move.endWorkers('SIGTERM');
  const worker = await startService({
    layout: layoutOf(sandbox.directory),
    command: 'worker',
    args: ['--bundle', inject('workflowBundle')],
    name: 'worker-with-keys',
    environment: { ...sandboxConfiguration().environment, ...sandbox.environment, STEADYHAND_PAYLOAD_KEYS: 'k1=env:SENTINEL_KEY' },
    log: () => undefined,
  });
  try {
    const right = passwords.target.exchange(awkward(sentinels['target, wrong']));
    const run = await move.request({ schema: 'copy' });
    expect(await move.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'refused' });
    passwords.target.exchange(right);
    return run;
  } finally {
    await worker.stop();
  }
}
