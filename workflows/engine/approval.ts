import { approvalChoices, byText, type DecidedBy } from '../../domain/decision.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { PlanOutline } from '../../domain/plan.ts';
import type { Planned, PlanRequest } from '../../activities/engine/contract.ts';
import { takePending } from './carried.ts';
import { ask, type Answered } from './decision.ts';
import { Ending, report } from './failure.ts';
import { parked } from './parked.ts';
import { endIfCancelled, takeLease, tried } from './step.ts';
import { isSettled, lineOf, show, standingOf, type RunMemory } from './state.ts';
import { call, engine } from './work.ts';

/**
 * Takes the facts and makes the plan anew; the digest is that of the steps from `from` on. With the digest of a plan that people
 * agreed to, the answer says what has changed since.
 */
export async function makePlan(memory: RunMemory, from?: string, agreed?: string): Promise<Planned> {
  const request = { ...planRequest(memory, from), ...(agreed === undefined ? {} : { agreed }) };
  const outline = await call(engine.plan, request, undefined, 'takes the facts and makes the plan');
  memory.outline = outline;
  return outline;
}

function planRequest({ runbook, admission }: RunMemory, from?: string): PlanRequest {
  if (!admission) throw new Error('a plan is made after admission');
  const { database, input } = admission;
  return { runbook, database, input, ...(from === undefined ? {} : { from }) };
}

/**
 * Asks the policy's people to agree to the steps after this one. The approval is bound to their digest; once it is given, the
 * lease is taken, the facts are looked up again, and if the digest is another one the approval lapses and is asked again, with
 * what has changed. What was confirmed so once stands when the run is told anew. When the facts can't be taken, a run that has
 * changed something parks: nothing is taken back for that.
 */
export async function approval(memory: RunMemory, id: string): Promise<void> {
  const standing = standingOf(memory, id);
  if (!lineOf(memory, id).applies) {
    standing.state = 'absent';
    return;
  }
  if (isSettled(standing)) return;
  const rule = memory.admission?.approval;
  if (rule === undefined || rule === 'auto') {
    await call(engine.record, { steps: [{ id, state: 'done', generation: 1, because: 'the policy asks nobody for this risk' }] });
    standing.state = 'done';
    return;
  }
  standing.state = 'waiting';
  await parkedBefore(memory, id);
  const asked = takePending(memory, id, 'approval');
  let { lapse } = asked ?? {};
  // What people were asked about in an earlier execution is the plan that was made last.
  let outline = asked && memory.outline ? memory.outline : await planFrom(memory, id);
  for (;;) {
    endIfCancelled(memory);
    const agreed = outline.digest;
    const question = await ask(
      memory,
      {
        approval: id,
        kind: 'approval',
        generation: standing.generation,
        digest: agreed,
        choices: approvalChoices,
        deadlineMs: rule.deadline,
        quorum: rule.quorum,
        ...(lapse ? { failure: lapse } : {}),
      },
      { again: { kind: 'approval', step: id, ...(lapse ? { lapse } : {}) }, covers: planRequest(memory, stepAfter(memory, id)) },
    );
    if (question.confirmed) {
      passOn(memory, id, question.confirmed);
      return;
    }
    if (question.answer === 'approve') {
      const fresh = await confirmed(memory, id, outline, question);
      if (fresh.digest === agreed) {
        await question.close('running', 'done');
        standing.state = 'done';
        return;
      }
      await question.close('waiting', 'waiting', 'lapsed');
      lapse = whatChanged(fresh);
      outline = fresh;
    } else await notGiven(memory, id, question);
  }
}

/**
 * An earlier execution was parked at the approval. What people had agreed to by then stands when the plan is still the same, as after a
 * reset: the question is looked for from its first number on.
 */
async function parkedBefore(memory: RunMemory, id: string): Promise<void> {
  const pending = takePending(memory, id, 'parked');
  if (!pending) return;
  await parked(memory, lineOf(memory, id), pending.failure, pending);
  memory.openings.delete(id);
}

/** The plan of what comes after the approval. */
async function planFrom(memory: RunMemory, id: string, agreed?: string, onFailure?: () => Promise<void>): Promise<Planned> {
  const next = stepAfter(memory, id);
  const outline = await tried(memory, lineOf(memory, id), () => makePlan(memory, next, agreed), onFailure ? { onFailure } : {});
  if (!outline) throw new Error(`nobody can pass over the plan for ${id}`);
  return outline;
}

/** The first step that the approval covers. */
function stepAfter(memory: RunMemory, id: string): string {
  const steps = memory.outline?.steps ?? [];
  const next = steps[steps.findIndex((one) => one.id === id) + 1]?.id;
  if (next === undefined) throw new Error(`after the approval ${id} nothing comes that it could cover`);
  return next;
}

/** The approval's judgement has done what `confirmed` and closing the question do. */
function passOn(memory: RunMemory, id: string, outline: PlanOutline): void {
  memory.outline = outline;
  memory.lease = true;
  standingOf(memory, id).state = 'done';
  show(memory, 'running');
}

/** The lease, and the plan as it is made from the facts of now. Before it asks about a failure the approval's own question is closed. */
async function confirmed(memory: RunMemory, id: string, asked: Planned, question: Answered): Promise<Planned> {
  const onFailure = (): Promise<void> => question.close('running', 'waiting');
  await tried(memory, lineOf(memory, id), () => takeLease(memory), { onFailure });
  return question.given ? asked : await planFrom(memory, id, asked.digest, onFailure);
}

/** Rejected, expired or cancelled: the run goes back. Past the point of no return it can't, and people say when to ask again. */
async function notGiven(memory: RunMemory, id: string, { answer, by, close }: Answered): Promise<void> {
  const line = lineOf(memory, id);
  const said = whyNotGiven(line.title, answer, by);
  const state = answer === 'expired' ? 'expired' : answer === 'cancel' ? 'stopped' : 'rejected';
  standingOf(memory, id).state = state;
  if (memory.pastNoReturn) {
    await close('running', state);
    await parked(memory, line, report('conflict', `${said}; the run is past its point of no return and only goes forward`));
    return;
  }
  await close(memory.changed ? 'rolling-back' : 'waiting', state);
  throw new Ending('go-back', said);
}

/** `jonas rejected "Agree to switch": the month's closing is running`. */
function whyNotGiven(title: string, answer: Answered['answer'], by?: DecidedBy): string {
  if (answer === 'expired') return `"${title}" was not decided in time`;
  if (!by) return `"${title}" was rejected`;
  if (answer === 'cancel') return `cancelled by ${byText(by)}`;
  return `${by.person} rejected "${title}"${by.reason === undefined ? '' : `: ${by.reason}`}`;
}

function whatChanged({ changes = [] }: Planned): FailureReport {
  return report('conflict', `the plan is another one than people agreed to: ${changes.join('; ')}`, { changes });
}
