import type { RunRecord } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import type { Closing, Confirmation, Planned } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { outlineOf, requireCover } from './plan.ts';
import { closeQuestion } from './questions.ts';
import { refuseIfClosed } from './refuse-if-closed.ts';
import { takeLeases } from './take-leases.ts';

type Needed = Pick<EngineDependencies, 'control' | 'planner' | 'inventory' | 'catalog' | 'holderOpen'>;

interface Given extends Confirmation {
  /** The run as its decision was judged. */
  readonly row: RunRecord | null;
  readonly closing: Closing;
}

/** Milliseconds. The run hears nobody meanwhile, and a local activity has 3 s. */
const confirmsWithin = 2_000;

/**
 * What follows an approval as a rule, without a way back to the run between its parts, since a person waits for the next step: takes
 * the lease, takes the facts under it, makes the plan, and closes the question when people agreed to that plan. Returns the plan, or
 * undefined: it is another one, something failed, or it took long. The run then does each part by itself, and parks for what fails.
 * Harmless to repeat: the lease is the run's, and a closed question stays as it is.
 */
export async function confirmAtOnce(dependencies: Needed, given: Given, attempt: Attempt): Promise<Planned | undefined> {
  const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(confirmsWithin)]);
  const over = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
  return await Promise.race([over, confirmed(dependencies, given, attempt, signal).catch(() => undefined)]);
}

async function confirmed(
  dependencies: Needed,
  { plan: { agreed, ...order }, takesLease, row, closing }: Given,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Planned | undefined> {
  const { control, planner } = dependencies;
  const { run } = attempt;
  refuseIfClosed(row);
  // The run itself intends nothing meanwhile.
  const [journal] = await Promise.all([
    control.attempts.journal(run),
    takesLease ? takeLeases(dependencies, order.database, run, row) : undefined,
  ]);
  const { plan, facts } = await planner.plan({ ...order, run, journal });
  if (plan.digest !== agreed) return undefined;
  requireCover(dependencies, order, row, plan.steps);
  // The run has gone on without this.
  signal.throwIfAborted();
  // The plan was stored when people were asked. Facts may be others where the digest does not cover them.
  await Promise.all([control.documents.put('facts', plan.facts, facts), closeQuestion({ control })(closing, attempt)]);
  return outlineOf(plan);
}
