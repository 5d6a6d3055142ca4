import { expect, test } from 'vitest';
import { runNameOf } from '../../../domain/run.ts';
import type { Fault } from '../../../sandbox/aws/faults.ts';
import { wentBack, wentThrough } from '../expectations.ts';
import type { Proving } from '../proving.ts';
import type { Calls, Made } from '../stage.ts';
import type { Trial } from '../trial.ts';

/** A call that changes something, and the step that makes it. */
export interface ChangingCall {
  readonly action: string;
  readonly step: string;
  /** Of these an account may have so many only, and each has a name that others might have taken. */
  readonly makes?: Made;
  /** How many calls of this name come before it. */
  readonly after?: number;
  /** Default in both of the case's regions. */
  readonly where?: Made['where'];
}

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
 * made once, and what was refused leaves nothing. What was made may not be seen for a while. A name that others have stays theirs.
 */
export function provesCalls(proving: Proving, calls: readonly ChangingCall[]): void {
  provesAnswers(proving, calls);
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
  test.concurrent.for(oneOf)('the name of what %s makes is taken by others: refused, and theirs stays', async ([, makes], context) => {
    const trial = await proving.begin(context);
    const name = `steadyhand-${runNameOf(trial.run).id.toLowerCase()}`;
    await callsOf(trial).occupy(makes, name);
    const before = await trial.world.snapshot();
    await trial.start();
    expect(await trial.closed()).toMatchObject({ outcome: 'refused', because: expect.stringContaining(name) as string, left: [] });
    expect(await trial.world.snapshot()).toEqual(before);
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

function callsOf({ world }: Trial): Calls {
  if (!world.calls) throw new Error('this world makes no calls');
  return world.calls;
}

/** A fault that met nothing proves nothing. */
async function hits({ world }: Trial, { step }: ChangingCall): Promise<boolean> {
  return (await world.executed()).some((one) => one.step === step && one.disturbed === true);
}
