import { Client, Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { atOnce } from '../../api/at-once.ts';
import { makeManyRuns } from '../../bench/control/many-runs.ts';
import { startWorkflows } from '../../bench/control/start-workflows.ts';
import { apiProcesses } from '../api/api-process.ts';
import { eventually } from '../support/eventually.ts';

const processes = apiProcesses();

interface Api {
  readonly url: string;
}

test('with 2,000 open runs, half of them in one queue, pages are quick, and a terminated workflow is closed within 10 s', async () => {
  const place = await processes.begin();
  const client = await place.superuser();
  const runs = await makeManyRuns(client, { inOne: 1_000, others: 1_000, queues: 300 });
  const temporal = new Client({ connection: await Connection.connect({ address: inject('temporalAddress') }) });
  await startWorkflows(temporal, place.taskQueue, runs);
  const api = await place.start();
  const get = async (path: string): Promise<Response> =>
    await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${place.token}` } });

  await eventually(() => reconciledAt(api), 60_000);
  // Its bounds are those of a machine that does nothing else; the median of some rounds is below them also where others are at work.
  expect(await median(async () => await got(get, '/v1/runs'))).toBeLessThan(300);
  expect(await median(async () => await got(get, '/v1/runs?limit=200'))).toBeLessThan(1_000);
  expect(await median(async () => await got(get, '/v1/leases'))).toBeLessThan(1_000);

  for (const run of [runs[3] ?? '', runs.at(-1) ?? '']) {
    await temporal.workflow.getHandle(run).terminate();
    const ended = performance.now();
    const { outcome } = await eventually(async () => {
      const seen = await place.control.runs.find(run);
      return seen?.state === 'closed' ? seen : undefined;
    });
    expect(outcome).toBe('needs-attention');
    expect(performance.now() - ended).toBeLessThan(10_000);
  }
  expect(await place.control.runs.open()).toHaveLength(1_998);
  // Nothing of it is for other tests.
  await atOnce(
    20,
    runs,
    async (run) =>
      await temporal.workflow
        .getHandle(run)
        .terminate()
        .catch(() => undefined),
  );
  await temporal.connection.close();
}, 300_000);

/** When the reconciler last finished a pass; undefined before the first one. */
async function reconciledAt({ url }: Api): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const at = Number(/^steadyhand_sweeper_last_success_timestamp_seconds\{sweeper="reconcile"\} ([\d.]+)$/m.exec(text)?.[1]);
  return at > 0 ? at : undefined;
}

async function got(get: (path: string) => Promise<Response>, path: string): Promise<void> {
  const answer = await get(path);
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
}

async function median(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times.toSorted((one, other) => one - other)[3] ?? Infinity;
}
