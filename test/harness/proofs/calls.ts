import { expect, test } from 'vitest';
import type { Fault } from '../../../sandbox/aws/faults.ts';
import { wentBack, wentThrough } from '../expectations.ts';
import type { Proving } from '../proving.ts';
import type { Trial } from '../trial.ts';

/** A call that changes something, and the step that makes it. */
export interface ChangingCall {
  readonly action: string;
  readonly step: string;
  /** It makes an instance or a snapshot, of which an account may have so many only. */
  readonly quota?: string;
  /** How many calls of this name come before it. */
  readonly after?: number;
  /** Default in both of the case's regions. */
  readonly where?: 'home' | 'abroad';
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
  { name: 'its state forbids it for a while', fault: { kind: 'answer', code: 'InvalidDBInstanceState', times: 2 }, end: 'goes on' },
  { name: 'it is denied', fault: { kind: 'denied' }, end: 'parks' },
];

/**
 * Whatever AWS answers to a call that changes something: what passes is waited for, what does not parks the step; each effect is
 * made once, and what was refused leaves nothing.
 */
export function provesCalls({ chosen, begin }: Proving, calls: readonly ChangingCall[]): void {
  const full = (code: string): Trouble => ({ name: 'a quota is full', fault: { kind: 'answer', code }, end: 'goes back' });
  const cases = calls.flatMap((call) => [...troubles, ...(call.quota ? [full(call.quota)] : [])].map((trouble) => ({ call, trouble })));
  test.concurrent.for(chosen(cases, ({ trouble }) => trouble.end).map((one) => [nameOf(one), one] as const))(
    '%s',
    async ([, one], context) => {
      const trial = await begin(context);
      const { call, trouble } = one;
      if (!trial.world.fault) throw new Error('this world makes no calls');
      trial.world.fault({ action: call.action, ...(call.after === undefined ? {} : { after: call.after }), ...trouble.fault }, call.where);
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
