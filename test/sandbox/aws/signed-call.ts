import { signatureOf } from '../../../sandbox/aws/signature.ts';

export interface Signing {
  readonly endpoint: string;
  readonly region: string;
  readonly service: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/** A signed call of a service whose SDK the project does not have; the SDKs of the others prove the signing. */
export async function signedCall(signing: Signing, body: string, target = ''): Promise<{ status: number; text: string }> {
  const { endpoint, region, service, credentials } = signing;
  const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const headers = {
    host: new URL(endpoint).host,
    'x-amz-date': date,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
    ...(target === '' ? {} : { 'x-amz-target': target }),
  };
  const signedHeaders = Object.keys(headers).toSorted();
  const { accessKeyId } = credentials;
  const claim = { accessKeyId, scope, region, service, signedHeaders, date, sessionToken: undefined };
  const request = { method: 'POST', url: '/', headers, body: Buffer.from(body) };
  const signature = signatureOf(credentials.secretAccessKey, request, claim).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  const answer = await fetch(endpoint, { method: 'POST', headers: { ...headers, authorization }, body });
  return { status: answer.status, text: await answer.text() };
}
