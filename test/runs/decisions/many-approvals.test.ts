import { pino } from 'pino';
import { expect, test } from 'vitest';
import { deliverUndelivered } from '../../../api/deliver-undelivered.ts';
import type { Inventory } from '../../../domain/inventory.ts';
import { eventually } from '../../support/eventually.ts';
import { temporalRuns } from '../../../temporal/runs.ts';
import { enginePlace } from '../../engine/place.ts';
import { servePlace } from '../../engine/serve.ts';

const place = enginePlace();
const serve = servePlace();

/** 20 for the whole size: STEADYHAND_APPROVAL_ROUNDS=20 npm run test:runs -- decisions/many. */
const rounds = Number(process.env['STEADYHAND_APPROVAL_ROUNDS'] ?? 2);
/** An answer that did not arrive is sent again after 15 s. */
const judgedWithinMs = 60_000;
const log = pino({ level: 'silent' });
const people = Array.from({ length: 50 }, (_, index) => `approver-${index + 1}`);

function allOfThemDecide(inventory: Inventory): Inventory {
  const policy = inventory.policies['default'];
  if (!policy || policy.approvals.high === 'auto') throw new Error('the policy asks nobody');
  const high = { ...policy.approvals.high, quorum: [{ group: 'dba', count: people.length }] };
  return {
    ...inventory,
    people: [...inventory.people, ...people.map((name) => ({ name, groups: ['dba'], accounts: {} }))],
    policies: { ...inventory.policies, default: { ...policy, approvals: { ...policy.approvals, high } } },
  };
}

test('50 approvals at once by two APIs: none is lost, and the last one settles it', { timeout: rounds * 60_000 }, async () => {
  const engine = await place.begin();
  engine.inventory = allOfThemDecide(engine.inventory);
  const apis = [await serve.begin(engine), await serve.begin(engine)] as const;
  const parts = { control: engine.control, temporal: temporalRuns(engine.client, { taskQueue: engine.taskQueue }) };
  for (let round = 1; round <= rounds; round += 1) {
    const run = await apis[0].start('ada');
    const [question] = (await engine.asked(run, 'agree-first')).questions;
    const began = Date.now();
    const answers = await Promise.all(
      people.map(async (person, index) => await apis[index % 2 === 0 ? 0 : 1].answer(run, person, 'approve', question)),
    );
    expect(answers.filter(({ status }) => status !== 200 && status !== 202)).toEqual([]);
    const counted = await eventually(async () => {
      // As every API does it: what did not arrive on a busy machine is sent again.
      await deliverUndelivered(parts, log).catch(() => undefined);
      const { decisions } = await engine.detail(run);
      return decisions.every((one) => one.counts !== null) ? decisions : undefined;
    }, judgedWithinMs);
    expect(counted.filter((one) => one.counts === true)).toHaveLength(people.length);
    await engine.asked(run, 'agree-last');
    console.log({ round, ms: Date.now() - began, later: answers.filter(({ status }) => status === 202).length });
    await apis[1].call('ada', 'POST', `/v1/runs/${run.split('/')[2]}/cancel`, { reason: 'enough' });
    expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  }
});
