import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureText } from '../../cli/print-failure.ts';
import { Failure } from '../../domain/failure.ts';
import { apiPlace, type ApiTest } from '../api/place.ts';
import { cliTest, served } from './place.ts';

const place = apiPlace();
const digest = 'd'.repeat(64);

async function open(api: ApiTest, kind: 'approval' | 'parked' = 'approval'): Promise<{ run: string; id: string }> {
  const { run, id } = await api.run();
  const choices = kind === 'approval' ? (['approve', 'reject'] as const) : (['retry', 'roll-back'] as const);
  const quorum = [{ group: 'dba', count: 1 }];
  await api.control.questions.open({ run, approval: 'agree', opening: 1, kind, digest, choices, quorum });
  return { run, id };
}

test('a refusal is told with what, every problem, code and what to do; exit code 1', async () => {
  const cli = await served(await place.begin(), 'ada');
  const answer = await cli.run('start', 'rehearsal', 'orders', '-i', 'wrong=1');
  expect(answer.code).toBe(1);
  expect(answer.out).toBe('');
  expect(answer.err).toContain('input.word');
  expect(answer.err).toContain('code: input-invalid');
  expect(answer.err).toContain('do: Correct the fields');
});

test('start says its key before it asks, and with that key finds the same run', async () => {
  const api = await place.begin();
  const cli = await served(api, 'ada');
  const first = await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello', '--ticket', 'OPS-7');
  expect(first.code).toBe(0);
  const key = /^Idempotency-Key (\S+) /.exec(first.err)?.[1] ?? '';
  const again = await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello', '--ticket', 'OPS-7', '--key', key);
  expect(again.out.slice(0, 26)).toBe(first.out.slice(0, 26));
  expect(await api.control.runs.list({ limit: 5 })).toMatchObject([{ ticket: 'OPS-7' }]);
  const [listed] = await api.control.runs.list({ limit: 1 });
  expect(await api.control.events.list({ run: listed?.run ?? '', limit: 1 })).toMatchObject([{ actor: { name: 'ada', channel: 'cli' } }]);
});

test('start --wait stands in line; runs, show and watch say behind whom', async () => {
  const api = await place.begin();
  const { run: holder } = await api.run();
  await api.control.lease.take('orders', holder, async () => await Promise.resolve(true));
  const cli = await served(api, 'ada');
  expect((await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello', '--wait')).err).toContain(
    `Also open on this database:\n  ${holder}  requested, holds the lease\nWatch it`,
  );
  const { out } = await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello', '--wait=2h');
  const id = out.slice(0, 26);
  const told = new RegExp(`waits for the lease of orders, 2nd in line: ${holder} holds it, since \\d\\d:\\d\\dZ; refused at `);
  expect((await cli.run('runs')).out).toMatch(new RegExp(`\\n${id}  ${told.source}`));
  expect((await cli.run('show', id)).out).toMatch(told);
  const wrong = await cli.run('start', '--wait', 'rehearsal', 'orders', '-i', 'word=hello');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--wait=2h') });
});

test('runs and show list what is there', async () => {
  const api = await place.begin();
  const { run, id } = await open(api);
  const cli = await served(api, 'grace');
  expect((await cli.run('runs')).out).toMatch(new RegExp(`^RUN .*\\n${id}  rehearsal  orders  `));
  expect((await cli.run('runs', '--state', 'closed')).out).toBe('no runs\n');
  expect((await cli.run('runs', '--requester', 'ada', '--since', '1h', '--runbook', 'rehearsal')).out).toContain(id);
  expect((await cli.run('runs', '--until', '2026-01-01')).out).toBe('no runs\n');
  expect(await cli.run('runs', '--since', 'yesterday')).toMatchObject({ code: 2, err: expect.stringContaining('24h') });
  expect((await cli.run('audit', 'list', '--run', run, '--actor', 'ada')).out).toMatch(/^ +\d+ .*run.requested.*ada/);
  expect((await cli.run('show', run)).out).toContain(`steadyhand approve ${id} --digest dddddddddddd`);
  expect(JSON.parse((await cli.run('show', id.toLowerCase(), '--json')).out)).toMatchObject({ run, questions: [{ digest }] });
  expect((await cli.run('show', id, '--events')).out).toContain('run.requested');
  expect((await cli.run('show', id, '--plan')).err).toContain('has no plan yet');
});

test('approve: without a terminal it needs the digest or --yes, and the digest must be the one that is asked', async () => {
  const api = await place.begin();
  const { id } = await open(api);
  const cli = await served(api, 'grace');
  expect(await cli.run('approve', id)).toMatchObject({ code: 2, err: expect.stringContaining('--digest') });
  expect(await cli.run('approve', id, '--digest', 'abc')).toMatchObject({ code: 2 });
  expect(await cli.run('approve', id, '--digest', 'e'.repeat(12))).toMatchObject({ code: 1, err: expect.stringContaining('another plan') });
  expect(api.temporal.messages).toEqual([]);
  api.temporal.judgement = { counts: true, settled: 'approve', by: { person: 'grace' }, because: 'everybody agreed' };
  const answer = await cli.run('approve', id, '--digest', 'd'.repeat(12));
  expect(answer).toMatchObject({ code: 0, out: expect.stringContaining('approve for agree: everybody agreed') });
  expect(api.temporal.messages).toMatchObject([{ approval: 'agree', opening: 1, digest, choice: 'approve' }]);
});

test('approve at a terminal asks back; no is no', async () => {
  const api = await place.begin();
  const { id } = await open(api);
  const asked: string[] = [];
  const confirm = (answer: boolean) => (question: string) => Promise.resolve(asked.push(question) > 0 && answer);
  expect(await (await served(api, 'grace', { tty: true, confirm: confirm(false) })).run('approve', id)).toMatchObject({ code: 1 });
  expect(api.temporal.messages).toEqual([]);
  expect(asked).toEqual(['Agree to agree, plan dddddddddddd?']);
  expect(await (await served(api, 'grace', { tty: true, confirm: confirm(true) })).run('approve', id)).toMatchObject({ code: 0 });
  expect(api.temporal.messages).toHaveLength(1);
});

test('reject and cancel need a reason and carry it', async () => {
  const api = await place.begin();
  const { id } = await open(api);
  const cli = await served(api, 'grace');
  expect(await cli.run('reject', id)).toMatchObject({ code: 2 });
  expect(await cli.run('reject', id, '--reason', 'not tonight')).toMatchObject({ code: 0 });
  expect(await cli.run('cancel', id, '--reason', 'wrong one')).toMatchObject({ code: 0 });
  expect((await api.control.runs.detail(id))?.decisions).toMatchObject([
    { choice: 'reject', reason: 'not tonight', channel: 'cli' },
    { choice: 'cancel', reason: 'wrong one' },
  ]);
});

test('decide offers what the failed step allows, and says what is open instead', async () => {
  const api = await place.begin();
  const { id } = await open(api, 'parked');
  const cli = await served(api, 'grace');
  expect(await cli.run('decide', id, 'dance')).toMatchObject({ code: 2, err: expect.stringContaining('roll-back') });
  expect(await cli.run('decide', id, 'skip', '--reason', 'x')).toMatchObject({
    code: 1,
    err: expect.stringContaining('possible are: retry, roll-back'),
  });
  expect(await cli.run('decide', id, 'roll-back')).toMatchObject({ code: 2, err: expect.stringContaining('needs --reason') });
  expect(await cli.run('decide', id, 'retry')).toMatchObject({ code: 0 });
  expect(await cli.run('approve', id, '--yes')).toMatchObject({ code: 1, err: expect.stringContaining('waits for a decision for agree') });
});

test('watch looks as soon as the API has news, without waiting for its next look', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  const cli = await served(api, 'ada', {
    wait: async () => {
      await api.control.runs.close(run, { outcome: 'succeeded', free: true });
      await new Promise(() => undefined);
    },
  });
  expect(await cli.run('watch', id)).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') });
});

test('watch tells what changes, waits while the API is away, and ends with the run', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  const turns: (() => Promise<unknown>)[] = [
    () => api.control.runs.planned(run, { digest, steps: [{ id: 'look', kind: 'check', title: 'Look', applies: true }] }),
    () => api.control.runs.change(run, { state: 'running', steps: [{ id: 'look', state: 'done', generation: 1 }] }),
    () => api.control.runs.close(run, { outcome: 'succeeded', free: true }),
  ];
  const answer = await (await served(api, 'ada', { wait: inTurns(turns) })).run('watch', id);
  expect(answer.code).toBe(0);
  expect(answer.out).toMatch(/requested[\s\S]*running[\s\S]*✓ +\d Look[\s\S]*closed: succeeded[\s\S]*succeeded/);
  const failed = await api.run();
  await api.control.runs.close(failed.run, { outcome: 'rolled-back', because: 'cancelled', free: true });
  expect(await (await served(api, 'ada')).run('watch', failed.id)).toMatchObject({
    code: 1,
    out: expect.stringContaining('rolled-back: cancelled'),
  });
});

/**
 * One turn of the world after the other. News of the stream ends a wait early, so a wait may come while a turn is under way; and
 * between two turns there is one without, so that what each has done is looked at.
 */
function inTurns(turns: readonly (() => Promise<unknown>)[]): () => Promise<void> {
  const left = turns.flatMap((turn) => [turn, () => Promise.resolve()]);
  let underWay: Promise<unknown> | undefined;
  return async () => {
    underWay ??= left
      .shift()?.()
      .finally(() => (underWay = undefined));
    await underWay;
  };
}

test('watch redraws at a terminal', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  const wait = (): Promise<void> => api.control.runs.close(run, { outcome: 'succeeded', free: true });
  const { out } = await (await served(api, 'ada', { tty: true, wait })).run('watch', id);
  expect(out).toContain('\u001B[1A\u001B[0J');
});

test('lease show and release', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  await api.control.lease.take('orders', run, () => Promise.resolve(false));
  const cli = await served(api, 'grace');
  expect((await cli.run('lease', 'show', 'orders')).out).toContain(`orders  held  ${run}`);
  api.temporal.statuses.set(run, 'terminated');
  expect((await cli.run('lease', 'release', 'orders', '--reason', 'looked after')).out).toContain('orders  free');
});

test('without a token, an API, or a readable token file, it says so', async () => {
  expect(await cliTest().run('runs')).toMatchObject({ code: 1, err: expect.stringContaining('no token was given') });
  const away = { STEADYHAND_API_URL: 'http://127.0.0.1:1', STEADYHAND_TOKEN: 'x' };
  expect(await cliTest({ environment: away }).run('runs')).toMatchObject({
    code: 1,
    err: expect.stringContaining('http://127.0.0.1:1 does not answer'),
  });
  expect(await cliTest().run('runs', '--as', '/does/not/exist')).toMatchObject({
    code: 1,
    err: expect.stringContaining('/does/not/exist'),
  });
  expect((await cliTest().run('runs', '--as', '/dev/null')).err).toContain('/dev/null is empty');
});

test('a failure is told once: no fact twice, several problems below each other, hints for the command line', () => {
  const problems = [
    { path: 'input.word', message: 'is missing' },
    { path: '', message: 'no such key: "foo"' },
  ];
  const message = '2 problems in the input: input.word: is missing; no such key: "foo"';
  expect(
    failureText(new Failure('input-invalid', message, { problems }))
      .split('\n')
      .slice(0, 4),
  ).toEqual(['steadyhand: 2 problems in the input:', '  - input.word: is missing', '  - no such key: "foo"', '  code: input-invalid']);
  const away = new Failure('unreachable', 'orders (127.0.0.1:9): ECONNREFUSED', {
    where: 'orders (127.0.0.1:9)',
    code: 'ECONNREFUSED',
    tried: 3,
  });
  expect(failureText(away)).toMatch(/^steadyhand: orders.*\n {2}tried: 3\n {2}code: unreachable\n/);
  expect(failureText(new Failure('unauthenticated', 'no'))).toContain('do: Give a token by --as');
});

test('show --findings has the warnings of the checks, with what to do', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  const cli = await served(api, 'grace');
  expect(await cli.run('show', id, '--findings')).toMatchObject({ code: 1, err: expect.stringContaining('no findings') });
  const found = { check: 'WAL', level: 'warns', evidence: 'it is kept', fix: 'Watch the disk.' };
  const informs = { ...found, check: 'versions', level: 'informs', fix: '' };
  await api.control.documents.put('findings', digest, [informs, found]);
  const line = { id: 'preflight', kind: 'check', title: 'Check both sides', applies: true };
  await api.control.runs.planned(run, { digest, steps: [line] });
  const attempt = { key: `${run}/preflight/1`, run, step: 'preflight', generation: 1, undo: false };
  const { number } = await api.control.attempts.claim(attempt);
  const step = { id: 'preflight', state: 'done', generation: 1 } as const;
  const evidence = { preflight: { checks: 2, warns: 1, findings: digest } };
  await api.control.runs.finish(run, { key: attempt.key, number, step, evidence });
  const { out } = await cli.run('show', id, '--findings');
  expect(out).toBe('warns    WAL: it is kept\n         do: Watch the disk.\ninforms  versions: it is kept\n');
});

test('--as takes the token from a file', async () => {
  const api = await place.begin();
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const directory = mkdtempSync(join(tmpdir(), 'steadyhand-token-'));
  writeFileSync(join(directory, 'ada'), `${await api.tokenOf('ada')}\n`);
  const answer = await cliTest().run('runs', '--api', address, '--as', join(directory, 'ada'));
  rmSync(directory, { recursive: true });
  expect(answer).toMatchObject({ code: 0, out: 'no runs\n' });
});

test.each([
  [[]],
  [['dance']],
  [['plan']],
  [['runs', '--dance']],
  [['runs', '--limit', '0']],
  [['runs', '--state', 'asleep']],
  [['approve', 'rehearsal/orders']],
  [['show', 'nonsense']],
  [['token', 'create', '--person', 'ada', '--expires', 'soon']],
])('a wrong command line (%j) ends with 2', async (argv) => {
  expect(await cliTest({ environment: { STEADYHAND_TOKEN: 'x' } }).run(...argv)).toMatchObject({ code: 2, out: '' });
});

test('help ends with 0 and says which commands are for the host', async () => {
  const help = await cliTest().run('--help');
  expect(help.code).toBe(0);
  expect(help.out).toContain('Ask and follow:');
  for (const command of [['worker'], ['api'], ['migrate'], ['audit', 'verify'], ['token', 'create']]) {
    expect((await cliTest().run(...command, '--help')).out).toContain('host command');
  }
});

test('runs and watch say that no worker is there, for as long as a run is open', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  api.temporal.idle = [{ queue: 'steadyhand', work: 'workflows' }];
  const cli = await served(api, 'ada', {
    wait: async () => await api.control.runs.close(run, { outcome: 'succeeded', free: true }),
  });
  expect(await cli.run('runs')).toMatchObject({ code: 0, err: expect.stringContaining('Note: no worker polls steadyhand (workflows)') });
  const watched = await cli.run('watch', id);
  expect(watched).toMatchObject({ code: 0, err: expect.stringContaining('no worker polls steadyhand (workflows)') });
  expect((await cli.run('runs')).err).toBe('');
});
