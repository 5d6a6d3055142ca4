import { approvalChoices } from '../../domain/decision.ts';
import type { PlanOutline } from '../../domain/plan.ts';
import { ask, engine } from './decision.ts';
import { Ending } from './ending.ts';
import { endIfCancelled } from './step.ts';
import { lineOf, type RunMemory } from './state.ts';
import { call } from './work.ts';

/** Takes the facts and makes the plan anew; the digest is that of the steps from `from` on. */
export async function makePlan(memory: RunMemory, from?: string): Promise<PlanOutline> {
  const { admission } = memory;
  if (!admission) throw new Error('a plan is made after admission');
  const outline = await call(
    engine.plan,
    { runbook: memory.runbook, database: admission.database, input: admission.input, ...(from === undefined ? {} : { from }) },
    undefined,
    'takes the facts and makes the plan',
  );
  memory.outline = outline;
  return outline;
}

/**
 * Asks the policy's people to agree to the steps after this one. The approval is bound to their digest; once it is given, the
 * lease is taken, the facts are looked up again, and if the digest is another one the approval lapses and is asked again.
 */
export async function approval(memory: RunMemory, id: string): Promise<void> {
  const position = memory.outline?.steps.findIndex((one) => one.id === id) ?? -1;
  const next = memory.outline?.steps[position + 1]?.id;
  if (next === undefined) throw new Error(`after the approval ${id} nothing comes that it could cover`);
  const rule = memory.admission?.approval;
  if (rule === undefined || rule === 'auto') {
    await call(engine.record, { steps: [{ id, state: 'done', generation: 1, because: 'the policy asks nobody for this risk' }] });
    memory.steps.set(id, { state: 'done', generation: 1 });
    return;
  }
  memory.steps.set(id, { state: 'waiting', generation: 1 });
  let outline = await makePlan(memory, next);
  for (;;) {
    endIfCancelled(memory);
    const asked = outline.digest;
    const { answer, close } = await ask(memory, {
      approval: id,
      kind: 'approval',
      generation: 1,
      digest: asked,
      choices: approvalChoices,
      deadlineMs: rule.deadline,
    });
    if (answer !== 'approve') {
      await close(memory.changed ? 'rolling-back' : 'waiting', 'failed');
      throw new Ending('go-back', answer === 'cancel' ? `cancelled by ${memory.cancelled}` : `"${lineOf(memory, id).title}" was ${answer === 'expired' ? 'not decided in time' : 'rejected'}`);
    }
    if (!memory.lease) {
      await call(engine.takeLease, { database: memory.admission?.database ?? '' }, undefined, 'takes the lease');
      memory.lease = true;
    }
    outline = await makePlan(memory, next);
    if (outline.digest === asked) {
      await close('running', 'done');
      memory.steps.set(id, { state: 'done', generation: 1 });
      return;
    }
    await close('waiting', 'waiting', 'lapsed');
  }
}
