import { expect, test } from 'vitest';
import { parseInventory } from '../../../domain/inventory.ts';
import { executionOf } from '../../engine/grow.ts';
import { enginePlace } from '../../engine/place.ts';
import { replayMs, replayWithinMs } from '../../engine/replay-ms.ts';
import { approvers, decidedByAll } from './approvers.ts';

const place = enginePlace();

// An update costs at least five events, and its judgement one more.
const people = approvers(150);

test('a history of judged updates is continued as new before its replay takes long', { timeout: 120_000 }, async () => {
  const engine = await place.begin();
  engine.inventory = parseInventory(decidedByAll(people), 'steadyhand.yaml');
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  const first = await executionOf(engine, run);
  let judged = 0;
  while ((await executionOf(engine, run)) === first) {
    const person = people[judged]?.name;
    if (person === undefined) throw new Error(`after ${judged} answers ${run} is not continued as new`);
    expect(await engine.decide(run, person, 'approve')).toMatchObject({ counts: true });
    judged += 1;
  }
  const replayed = await replayMs(engine, run, first);
  console.log({ judged, replayed });
  expect(replayed).toBeLessThan(replayWithinMs);
});
