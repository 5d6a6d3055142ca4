import { currentAgreements } from '../../domain/answer.ts';
import { chainOf, settle } from '../../domain/approval.ts';
import type { Choice, DecidedBy } from '../../domain/decision.ts';
import { ruleOf } from '../../domain/break-glass.ts';
import type { ApprovalRule } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import type { DecisionRow, OpenQuestion } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import type { Asked, Asking, Closing, Nudged, NudgeCall } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { refuseIfClosed } from './refuse-if-closed.ts';

/**
 * Opens the question and shows the run as waiting or parked. Repeating it finds the question open and changes nothing. After a
 * reset it may find one that was answered: then the answer stands, or the question is asked under the next number.
 */
export function ask({ control, inventory, catalog }: EngineDependencies) {
  return async (asking: Asking, attempt: Attempt): Promise<Asked> => {
    const { run } = attempt;
    refuseIfClosed(await control.runs.record(run));
    const stands = await whatStands(control, run, asking);
    await closeOthers(control, run, { approval: asking.approval, opening: stands.opening });
    if (stands.answer !== null) return { ...stands, ...(await lastToSay(control, run, asking.approval, stands)) };
    const { approval, kind, digest, choices, failure } = asking;
    const { opening } = stands;
    const rule = kind === 'parked' ? 'auto' : await ruleNow({ control, inventory, catalog }, run);
    const now = Date.now();
    const terms = rule === 'auto' ? { quorum: asking.quorum ?? [], chain: [] } : { quorum: rule.quorum, chain: chainOf(rule, now) };
    const deadline = asking.deadlineMs === undefined ? undefined : new Date(now + asking.deadlineMs).toISOString();
    await control.runs.change(run, {
      state: kind === 'parked' ? 'parked' : 'waiting',
      steps: [
        {
          id: approval,
          state: kind === 'parked' ? 'failed' : 'waiting',
          generation: generationOf(asking, opening),
          ...(failure ? { failure } : {}),
        },
      ],
      ...(failure ? { failure } : {}),
    });
    // Last, so that whoever sees the question sees the run waiting for it.
    const told = { ...(deadline === undefined ? {} : { deadline }), ...(failure === undefined ? {} : { failure }) };
    const open = await control.questions.open({ run, approval, opening, kind, digest, choices, ...terms, ...told });
    return { ...stands, ...timesOf(open) };
  };
}

/** The policy's rule for the run as the inventory has it now. */
async function ruleNow(
  { control, inventory, catalog }: Pick<EngineDependencies, 'control' | 'inventory' | 'catalog'>,
  run: string,
): Promise<ApprovalRule> {
  const { runbook, database } = runNameOf(run);
  if (!Object.hasOwn(inventory().databases, database)) return 'auto';
  const brokeGlass = ((await control.runs.record(run))?.breakGlass ?? null) !== null;
  return ruleOf(inventory(), database, catalog[runbook]?.risk ?? 'high', brokeGlass);
}

/** How long it is until its deadline and all that is to happen before. A question that was open before a reset has less time left. */
function timesOf({ deadline, chain }: OpenQuestion): Pick<Asked, 'leftMs' | 'nudges'> {
  const until = (time: string): number => Math.max(0, Date.parse(time) - Date.now());
  const nudges = chain.flatMap(({ at, done }, place) => (done === null ? [{ place, inMs: until(at) }] : []));
  return { nudges, ...(deadline === undefined ? {} : { leftMs: until(deadline) }) };
}

/**
 * People are reminded or, in the escalation, others may answer from now on: what was said before may then be enough. Repeating it
 * changes nothing.
 */
export function nudge({ control, inventory }: EngineDependencies) {
  return async ({ approval, opening, place }: NudgeCall, { run }: Attempt): Promise<Nudged> => {
    const question = await control.questions.find(run, approval, opening);
    if (!question || question.answer !== null) return { settled: null };
    await control.questions.nudge(question, place);
    const { quorum, agreements } = (await control.questions.find(run, approval, opening)) ?? question;
    const settled = settle(quorum, currentAgreements({ inventory: inventory(), database: runNameOf(run).database }, { agreements }));
    return settled === null ? { settled } : { settled, ...(await lastToSay(control, run, approval, { opening, answer: settled })) };
  };
}

/** An approval that is asked again shows as its next generation. */
function generationOf({ kind, generation }: Pick<Asking, 'kind' | 'generation'>, opening: number): number {
  return kind === 'approval' ? opening : generation;
}

/** The number that the question is to be asked under, and the answer to it when people gave it before a reset. */
async function whatStands(control: EngineDependencies['control'], run: string, asking: Asking): Promise<Asked> {
  for (let { opening } = asking; ; opening += 1) {
    const known = await control.questions.find(run, asking.approval, opening);
    if (!known) return { opening, answer: null };
    const same = known.kind === asking.kind && known.digest === asking.digest;
    if (same && known.answer === null) return { opening, answer: settledBy(known) };
    // What people agreed to is this very plan: they need not be asked again.
    if (same && known.answer === 'approve') return { opening, answer: 'approve' };
  }
}

/** A run asks one thing at a time: what else is open was asked before a reset. */
async function closeOthers(
  control: EngineDependencies['control'],
  run: string,
  asked: { approval: string; opening: number },
): Promise<void> {
  const open = (await control.runs.detail(run))?.questions ?? [];
  for (const { approval, opening } of open) {
    if (approval !== asked.approval || opening !== asked.opening) await control.questions.close({ run, approval, opening }, 'lapsed');
  }
}

/** Who gave the answer that stands. */
async function lastToSay(
  control: EngineDependencies['control'],
  run: string,
  approval: string,
  { opening, answer }: Asked,
): Promise<{ by?: DecidedBy }> {
  const decisions = (await control.runs.detail(run))?.decisions ?? [];
  const said = decisions.findLast((one) => one.approval === approval && one.opening === opening && one.choice === answer && one.counts);
  return said ? { by: byOf(said) } : {};
}

/** Who made a decision, and why. */
export function byOf({ person, reason }: Pick<DecisionRow, 'person' | 'reason'>): DecidedBy {
  return reason === null ? { person } : { person, reason };
}

function settledBy({ kind, quorum, agreements }: OpenQuestion): Choice | null {
  return kind === 'parked' ? (agreements[0]?.choice ?? null) : settle(quorum, agreements);
}

export function closeQuestion({ control }: Pick<EngineDependencies, 'control'>) {
  return async (closing: Closing, attempt: Attempt): Promise<void> => {
    const { approval, opening, answer, by, state, step } = closing;
    const generation = generationOf(closing, opening);
    const because = { because: by?.reason ?? `decided: ${answer}`, ...(by ? { by: by.person } : {}) };
    await control.questions.close({ run: attempt.run, approval, opening }, answer, {
      state,
      failure: null,
      ...(step ? { steps: [{ id: approval, state: step, generation, ...because }] } : {}),
    });
  };
}
