import { randomBytes } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import type { Call } from './place.ts';
import { identifier } from './state.ts';
import type { Xml } from './xml.ts';

export function getCallerIdentity({ place, caller }: Call): Xml {
  return { Arn: caller.arn, UserId: 'AIDASTEADYHAND', Account: place.state.account };
}

/** A session of the caller's own rights that ends after `DurationSeconds`; roles are names without policies here. */
export function assumeRole({ place, query, region, caller }: Call): Xml {
  const [role, session] = [query.required('RoleArn'), query.required('RoleSessionName')];
  const duration = query.whole('DurationSeconds') ?? 3_600;
  // AWS takes 15 min at the least; a stand-in that runs faster takes less.
  if (duration < 1 || duration > 43_200)
    throw new AwsError('ValidationError', `DurationSeconds must be between 1 and 43200, not ${duration}`);
  const expires = new Date(Date.now() + duration * 1_000);
  const made = {
    accessKeyId: `ASIA${identifier(16)}`,
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: randomBytes(48).toString('base64'),
  };
  const { allowed, denied } = caller.credential;
  place.state.credentials.push({
    ...made,
    ...(allowed ? { allowed } : {}),
    ...(denied ? { denied } : {}),
    expires: expires.toISOString(),
    user: session,
  });
  place.effect('AssumeRole', region, role);
  return {
    Credentials: {
      AccessKeyId: made.accessKeyId,
      SecretAccessKey: made.secretAccessKey,
      SessionToken: made.sessionToken,
      Expiration: expires,
    },
    AssumedRoleUser: {
      AssumedRoleId: `AROASTEADYHAND:${session}`,
      Arn: `${role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${session}`,
    },
  };
}
