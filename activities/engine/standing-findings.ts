import type { Control } from '../../control/contract.ts';
import type { Finding } from '../../domain/finding.ts';
import { runNameOf } from '../../domain/run.ts';

type Standing = Pick<Control, 'runs' | 'attempts' | 'lease' | 'freezes'>;

/** What stands against a run on these databases now, by the control database: freezes, leases and other runs. Reads only. */
export async function standingFindings(control: Standing, databases: readonly string[]): Promise<Finding[]> {
  const [each, open] = await Promise.all([Promise.all(databases.map((one) => ofDatabase(control, one))), control.runs.openOn(databases)]);
  const others = open.filter((one) => !one.holds);
  const finding: Finding = {
    check: 'open-runs',
    level: 'warns',
    evidence: `other runs are open: ${others.map(({ run, state }) => `${run} (${state})`).join(', ')}`,
    fix: `Look at them first: ${others.map(({ run }) => `steadyhand show ${runNameOf(run).id}`).join(', ')}.`,
  };
  return [...each.flat(), ...(others.length === 0 ? [] : [finding])];
}

async function ofDatabase({ attempts, lease: leases, freezes }: Standing, database: string): Promise<Finding[]> {
  const [freeze, lease] = await Promise.all([freezes.of(database), leases.find(database)]);
  const blocks = (check: string, evidence: string, fix: string): Finding => ({ check, level: 'blocks', evidence, fix });
  const found: Finding[] = [];
  if (freeze)
    found.push(blocks('frozen', freeze.text, `Wait until it is over, or end it: steadyhand freeze off ${freeze.id} --reason '…'`));
  if (lease?.state === 'held') {
    const fix = 'Start with --wait to stand in line for it, or decide the open question of that run.';
    found.push(blocks('lease-held', `${lease.holder} holds the lease of ${database}`, fix));
  }
  if (lease?.state === 'orphaned' && (await attempts.unsettled(lease.holder)).length > 0) {
    const fix = '`steadyhand janitor` says how to remove them, and does it where that is safe.';
    found.push(blocks('lease-orphaned', `${lease.holder} ended and left things on ${database}`, fix));
  }
  return found;
}
