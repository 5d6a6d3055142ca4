import type { Place } from './place.ts';
import { isSignedBy, type Claim } from './signature.ts';

/** The region that a presigned URL is signed for; undefined when it is none, or somebody else's, or changed since. */
export function presignedRegion({ state }: Place, text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const take = (name: string): string => url.searchParams.get(name) ?? '';
  const [accessKeyId = '', ...rest] = take('X-Amz-Credential').split('/');
  const scope = rest.join('/');
  const [, region = '', service = ''] = rest;
  const claim: Claim = {
    accessKeyId,
    scope,
    region,
    service,
    signedHeaders: take('X-Amz-SignedHeaders').split(';'),
    signature: take('X-Amz-Signature'),
    date: take('X-Amz-Date'),
    sessionToken: undefined,
  };
  url.searchParams.delete('X-Amz-Signature');
  const request = { method: 'GET', url: `${url.pathname}${url.search}`, headers: { host: url.hostname }, body: Buffer.alloc(0) };
  const credential = state.credentials.find((one) => one.accessKeyId === accessKeyId);
  return credential && isSignedBy(credential.secretAccessKey, request, claim) ? region : undefined;
}
