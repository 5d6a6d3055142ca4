import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What of a request is signed. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Who signed, for which region and service, and how; read from the request, nothing of it proved yet. */
export interface Claim {
  readonly accessKeyId: string;
  /** `20260131/eu-central-1/rds/aws4_request` */
  readonly scope: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** As it was sent: `20260131T120000Z`. */
  readonly date: string;
  readonly sessionToken: string | undefined;
}

const algorithm = 'AWS4-HMAC-SHA256';
const authorization = /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** The claim of a request that is signed by its headers; undefined when there is none, or not of this algorithm. */
export function readClaim(request: SignedRequest): Claim | undefined {
  const match = authorization.exec(header(request, 'authorization') ?? '');
  const [, accessKeyId, scope, signedHeaders, signature] = match ?? [];
  const date = header(request, 'x-amz-date');
  const [, region, service] = scope?.split('/') ?? [];
  if (!accessKeyId || !scope || !signedHeaders || !signature || !date || !region || !service) return undefined;
  const sessionToken = header(request, 'x-amz-security-token');
  return { accessKeyId, scope, region, service, signedHeaders: signedHeaders.split(';'), signature, date, sessionToken };
}

/** Whether that secret signed exactly this request (Signature Version 4). Says nothing about its age. */
export function isSignedBy(secret: string, request: SignedRequest, claim: Claim): boolean {
  const expected = signatureOf(secret, request, claim);
  const given = Buffer.from(claim.signature, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The signature that this secret gives to the request, for a claim that is complete but for it. */
export function signatureOf(secret: string, request: SignedRequest, claim: Omit<Claim, 'signature'>): Buffer {
  return createHmac('sha256', signingKey(secret, claim.scope)).update(stringToSign(request, claim)).digest();
}

/** When it says it was signed. */
export function signedAt(claim: Claim): Date {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(claim.date) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function signingKey(secret: string, scope: string): Buffer {
  const mac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return scope.split('/').reduce<Buffer | string>((key, part) => mac(key, part), `AWS4${secret}`) as Buffer; // never empty: a split has one part
}

function stringToSign(request: SignedRequest, claim: Omit<Claim, 'signature'>): string {
  return [algorithm, claim.date, claim.scope, hash(canonicalRequest(request, claim.signedHeaders))].join('\n');
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const url = new URL(request.url, 'http://host');
  const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).toSorted();
  const lines = signedHeaders.map((name) => `${name}:${(header(request, name) ?? '').trim().replaceAll(/ +/g, ' ')}\n`);
  return [request.method, url.pathname, query.join('&'), lines.join(''), signedHeaders.join(';'), hash(request.body)].join('\n');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function header(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function hash(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}
