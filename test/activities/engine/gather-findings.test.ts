import { expect, test } from 'vitest';
import { FactsMissing, gatherFindings, orReport, refuseBlocked, reportAll, takeFacts } from '../../../activities/engine/gather-findings.ts';
import { Failure } from '../../../domain/failure.ts';
import { against, type FactFinding } from '../../../domain/finding.ts';
import { failureOf } from '../../control/support.ts';

const quota = against('quota', 'there is room for none', 'Ask for more.', 'quota-exceeded');
const key = against('key', 'there is no key', 'Create it.');
const warning: FactFinding = { ...key, check: 'disk', level: 'warns', evidence: 'it is nearly full' };

test('what is reported goes with the facts, once; only what blocks refuses a run, under the code of the first', async () => {
  const { facts, findings } = await gatherFindings(async (report) => {
    report([warning, quota]);
    report([key, quota]);
    return await Promise.resolve('the facts');
  });
  expect([facts, findings]).toEqual(['the facts', [warning, quota, key]]);
  expect(() => refuseBlocked([warning])).not.toThrow();
  const refused = await failureOf(
    'quota-exceeded',
    takeFacts(async (report) => await Promise.resolve(report(findings))),
  );
  expect(refused.message).toBe(
    '2 findings block the run:\n- quota: there is room for none. Ask for more.\n- key: there is no key. Create it.',
  );
});

test('a look that is refused is a finding, and keeps what it was; the others are made all the same', async () => {
  const denied = new Failure('privilege-missing', 'the role may not look.');
  const taking = gatherFindings(async (report) => {
    const looks = [['rights', Promise.reject(denied)] as const, ['key', Promise.resolve([key])] as const];
    await reportAll(report, looks);
    throw new FactsMissing();
  });
  const refused = await failureOf('privilege-missing', taking);
  expect(refused.message).toMatch(
    /^2 findings block the run:\n- rights: the role may not look\. \S.*\n- key: there is no key\. Create it\.$/,
  );
  expect(refused.cause).toBe(denied);
});

test('what passes by itself is raised as it is, or with what was found under its own code: it is tried again', async () => {
  const away = new Failure('unreachable', 'nobody answers', { where: 'orders' });
  const taking = (findings: readonly FactFinding[]): Promise<unknown> =>
    gatherFindings(async (report) => {
      report(findings);
      return await orReport(report, 'server', () => {
        throw away;
      });
    });
  expect(await failureOf('unreachable', taking([]))).toBe(away);
  const both = await failureOf('unreachable', taking([key]));
  expect(both.message).toMatch(/- key: there is no key\. Create it\.\n- unreachable: nobody answers\. /);
  expect([both.facts['where'], both.retryable]).toEqual(['orders', true]);
});
