import { AwsError } from './aws-error.ts';
import type { Caller, Place } from './place.ts';
import { isSignedBy, readClaim, signedAt, type Claim, type SignedRequest } from './signature.ts';

export interface Authenticated extends Caller {
  readonly claim: Claim;
}

const clockSkewMs = 5 * 60_000;

/** Who signed the request. Throws AWS's refusals: no signature, unknown key, wrong secret, too old, expired session. */
export function authenticate({ state }: Pick<Place, 'state'>, request: SignedRequest, now: Date): Authenticated {
  const claim = readClaim(request);
  if (!claim) throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  const credential = state.credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  if (!credential || credential.sessionToken !== claim.sessionToken)
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
  if (!isSignedBy(credential.secretAccessKey, request, claim))
    throw wrongSignature(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  const age = Math.abs(now.getTime() - signedAt(claim).getTime());
  if (!(age <= clockSkewMs)) throw wrongSignature(`Signature expired: ${claim.date} is now earlier than the server's time less 5 min.`);
  if (credential.expires !== undefined && new Date(credential.expires) <= now)
    throw new AwsError('ExpiredToken', 'The security token included in the request is expired', 403);
  return { claim, credential, arn: `arn:aws:iam::${state.account}:user/${credential.user ?? 'steadyhand'}` };
}

function wrongSignature(message: string): AwsError {
  return new AwsError('SignatureDoesNotMatch', message, 403);
}

/** Throws AccessDenied naming the action unless the credential's policy allows it. */
export function authorise({ credential, arn }: Caller, action: string): void {
  const matches = (pattern: string): boolean => (pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : pattern === action);
  const allowed = credential.allowed?.some(matches) ?? true;
  const denied = credential.denied?.some(matches) ?? false;
  if (allowed && !denied) return;
  throw accessDenied(
    arn,
    action,
    denied ? 'with an explicit deny in an identity-based policy' : `because no identity-based policy allows the ${action} action`,
  );
}

export function accessDenied(arn: string, action: string, because: string): AwsError {
  return new AwsError('AccessDenied', `User: ${arn} is not authorized to perform: ${action} ${because}`, 403);
}
