import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { OpenQuestion } from '../../../control/contract.ts';
import { parseInventory } from '../../../domain/inventory.ts';
import { layoutOf } from '../../../sandbox/layout.ts';
import { startApiProcess, type ApiProcess } from '../../api/api-process.ts';
import { enginePlace, type EngineTest } from '../../engine/place.ts';
import { eventually } from '../../support/eventually.ts';
import { approvers, decidedByAll } from './approvers.ts';

const place = enginePlace();

/** 20 for the whole size: STEADYHAND_APPROVAL_ROUNDS=20 npm run test:runs -- decisions/many. */
const rounds = Number(process.env['STEADYHAND_APPROVAL_ROUNDS'] ?? 2);
/** An answer that did not arrive on a busy machine is sent again after 15 s. */
const judgedWithinMs = 30_000;
const people = approvers(50);

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Two API processes on the engine's control database. */
async function startApis({ urls, taskQueue }: EngineTest, inventory: string): Promise<ApiProcess[]> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-many-'));
  endings.push(() => rm(directory, { recursive: true, force: true }));
  const layout = layoutOf(directory);
  await mkdir(layout.logs);
  await writeFile(layout.inventory, inventory);
  const apis: ApiProcess[] = [];
  for (const name of ['api-1', 'api-2']) {
    const api = await startApiProcess({ layout, name, taskQueue, controlUrl: urls.application });
    endings.push(() => api.stop());
    apis.push(api);
  }
  return apis;
}

async function tokensOf({ control }: EngineTest): Promise<string[]> {
  const actor = { kind: 'person', name: 'root', channel: 'host' } as const;
  return await Promise.all(people.map(async ({ name }) => (await control.tokens.create({ person: name, actor })).token));
}

/** The status of the answer to an approval. */
async function approve(
  api: ApiProcess,
  token: string,
  { run, approval, opening, digest }: OpenQuestion & { run: string },
): Promise<number> {
  const answer = await fetch(`${api.url}/v1/runs/${run.split('/')[2]}/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ approval, opening, digest, choice: 'approve' }),
  });
  await answer.text();
  return answer.status;
}

test(
  '50 approvals at once by two API processes: none is lost, and the last one settles it',
  { timeout: 60_000 + rounds * 60_000 },
  async () => {
    const engine = await place.begin();
    const inventory = decidedByAll(people);
    engine.inventory = parseInventory(inventory, 'steadyhand.yaml');
    const tokens = await tokensOf(engine);
    const apis = await startApis(engine, inventory);
    for (let round = 1; round <= rounds; round += 1) {
      const run = await engine.request();
      const question = (await engine.asked(run, 'agree-first')).questions[0] as OpenQuestion;
      const began = Date.now();
      const statuses = await Promise.all(
        tokens.map(async (token, index) => await approve(apis[index % 2] as ApiProcess, token, { ...question, run })),
      );
      expect(statuses.filter((status) => status !== 200 && status !== 202)).toEqual([]);
      const answeredMs = Date.now() - began;
      const judged = await eventually(
        async () => {
          const { decisions } = await engine.detail(run);
          return decisions.every((one) => one.counts !== null) ? decisions : undefined;
        },
        judgedWithinMs,
        100,
      );
      expect(judged.filter((one) => one.counts === true)).toHaveLength(people.length);
      console.log({ round, answeredMs, judgedMs: Date.now() - began, later: statuses.filter((status) => status === 202).length });
      await engine.asked(run, 'agree-last');
      await engine.decide(run, 'ada', 'cancel', 'enough');
      expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
    }
  },
);
