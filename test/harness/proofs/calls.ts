import { expect, test } from 'vitest';
import type { Fault } from '../../../sandbox/aws/faults.ts';
import { wentBack, wentThrough } from '../expectations.ts';
import { callsOf, type ChangingCall } from '../changing-calls.ts';
import type { Proving } from '../proving.ts';
import { provesOthers } from './others.ts';
import type { Trial } from '../trial.ts';

interface Trouble {
  readonly name: string;
  readonly fault: Omit<Fault, 'action'>;
  readonly end: 'goes on' | 'parks' | 'goes back';
}

const troubles: readonly Trouble[] = [
  { name: 'the answer is lost', fault: { kind: 'lost' }, end: 'goes on' },
  { name: 'a storm of throttling', fault: { kind: 'throttle', times: 3 }, end: 'goes on' },
  { name: 'an error of AWS’s own', fault: { kind: 'error' }, end: 'goes on' },
  { name: 'it takes a second', fault: { kind: 'slow', ms: 1_000 }, end: 'goes on' },
  { name: 'the credentials have run out', fault: { kind: 'expired' }, end: 'goes on' },
  { name: 'it is denied', fault: { kind: 'denied' }, end: 'parks' },
];

/** Half of the time that the provider is given here until what it made can be seen. */
const hiddenMs = 750;

const words = {
  instance: { quota: 'InstanceQuotaExceeded', look: 'DescribeDBInstances' },
  snapshot: { quota: 'SnapshotQuotaExceeded', look: 'DescribeDBSnapshots' },
} as const;

/**
 * Whatever AWS answers to a call that changes something: what passes is waited for, what does not parks the step; each effect is
 * made once, and what was refused leaves nothing. What was made may not be seen for a while.
 */
export function provesCalls(proving: Proving, calls: readonly ChangingCall[]): void {
  provesAnswers(proving, calls);
  provesOthers(proving, calls);
  const making = calls.flatMap(({ step, makes }) => (makes ? [{ step, makes }] : []));
  const oneOf = proving.chosen(making, () => 'all').map(({ step, makes }) => [step, makes] as const);
  test.concurrent.for(oneOf)('what %s has made cannot be seen for a while', async ([, { kind, where }], context) => {
    const trial = await proving.begin(context);
    const { fault, hidden } = callsOf(trial);
    fault({ action: words[kind].look, kind: 'not-found', ms: hiddenMs }, where);
    await trial.start();
    await wentThrough(trial);
    expect(hidden()).toBeGreaterThan(0);
  });
}

function provesAnswers({ chosen, begin }: Proving, calls: readonly ChangingCall[]): void {
  const busy = ({ action }: ChangingCall): Trouble => {
    const code = action.endsWith('DBSnapshot') && action !== 'CreateDBSnapshot' ? 'InvalidDBSnapshotState' : 'InvalidDBInstanceState';
    return { name: 'a state forbids it for a while', fault: { kind: 'answer', code, times: 2 }, end: 'goes on' };
  };
  const full = (code: string): Trouble => ({ name: 'a quota is full', fault: { kind: 'answer', code }, end: 'goes back' });
  const cases = calls.flatMap((call) =>
    [...troubles, busy(call), ...(call.makes ? [full(words[call.makes.kind].quota)] : [])].map((trouble) => ({ call, trouble })),
  );
  test.concurrent.for(chosen(cases, ({ trouble }) => trouble.end).map((one) => [nameOf(one), one] as const))(
    '%s',
    async ([, one], context) => {
      const trial = await begin(context);
      const { call, trouble } = one;
      callsOf(trial).fault(
        { action: call.action, ...(call.after === undefined ? {} : { after: call.after }), ...trouble.fault },
        call.where,
      );
      await trial.start();
      if (trouble.end !== 'goes on') {
        const { failure } = await trial.parked(call.step);
        expect(failure?.code).toBe(trouble.end === 'parks' ? 'privilege-missing' : 'quota-exceeded');
        expect(failure?.message).toContain(`rds:${call.action}`);
        await trial.answer(trouble.end === 'parks' ? 'retry' : 'roll-back');
      }
      await (trouble.end === 'goes back' ? wentBack(trial) : wentThrough(trial));
      expect(await hits(trial, call)).toBe(true);
    },
  );
}

function nameOf({ call, trouble }: { call: ChangingCall; trouble: Trouble }): string {
  return `${call.action} of ${call.step}: ${trouble.name}`;
}

/** A fault that met nothing proves nothing. */
async function hits({ world }: Trial, { step }: ChangingCall): Promise<boolean> {
  return (await world.executed()).some((one) => one.step === step && one.disturbed === true);
}
