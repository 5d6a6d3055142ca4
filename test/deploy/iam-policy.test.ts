import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { awsActions } from '../../activities/aws/calls.ts';

const statement = z.object({ Sid: z.string(), Action: z.array(z.string()), Resource: z.string() });
const policy = z.object({ Statement: z.array(statement) }).parse(JSON.parse(read('deploy/iam-policy.json')));

function read(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
}

const allowed = (sid: string): string[] => policy.Statement.find((one) => one.Sid === sid)?.Action ?? [];

const sources = globSync('activities/**/*.ts', { cwd: new URL('../../', import.meta.url) });

test.for([
  [['SteadyhandLooks', 'SteadyhandReadsSecrets'], 'look'],
  [['SteadyhandChanges'], 'change'],
] as const)('%s allow the calls of the kind "%s", and no other', ([sids, kind]) => {
  const made = Object.entries(awsActions).flatMap(([action, of]) => (of === kind ? [action] : []));
  expect(sids.flatMap(allowed)).toEqual(made.toSorted());
});

test('secrets and roles are not all of the account', () => {
  const wide = policy.Statement.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
  expect(wide.filter((action) => /^(?:secretsmanager|iam):/.test(action))).toEqual([]);
});

test('whatever is passed on may be passed: a role, and a secret under a key of its owner', () => {
  const named = sources.some((file) => read(file).includes('MonitoringRoleArn'));
  expect([named, allowed('ACopyIsMonitoredByTheRoleOfItsSource')]).toEqual([true, ['iam:PassRole']]);
  expect(allowed('AwsUsesTheKeyOfASecret')).toEqual(['kms:Decrypt']);
});

test('what is allowed is called somewhere, and nothing else reaches AWS than what is listed', () => {
  const code = sources.filter((file) => file !== 'activities/aws/calls.ts').map((file) => read(file));
  const called = new Set(
    code.flatMap((text) => [...text.matchAll(/'((?:rds|kms|cloudwatch|sts|secretsmanager|ec2):\w+)'/g)].map(([, action]) => action)),
  );
  expect(called).toEqual(new Set(Object.keys(awsActions)));
  const importing = sources.filter((file) => /import\((?:.*)@aws-sdk|^import \{.*@aws-sdk/m.test(read(file)));
  expect(importing).toEqual(['activities/aws/aws.ts']);
});
