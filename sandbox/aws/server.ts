import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { answerAdmin } from './admin.ts';
import { authenticate, authorise, type Authenticated } from './authenticate.ts';
import { AwsError } from './aws-error.ts';
import { withoutSecrets, type CallLog } from './calls.ts';
import { answerOf, type Fault, type Faults } from './faults.ts';
import type { Place } from './place.ts';
import { hiddenResource } from './hidden-resource.ts';
import { readAsked, type Answer, type Asked } from './services.ts';
import { header, readClaim, type SignedRequest } from './signature.ts';

interface Desk {
  readonly place: Place;
  readonly faults: Faults;
  readonly calls: CallLog;
}

const longestBody = 1_048_576;

/** Listens on 127.0.0.1. All services answer at one address: which one is meant stands in the scope of the signature. */
export async function listen(desk: Desk, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    handle(desk, request, response).catch((error: unknown) => {
      desk.place.log(`a call failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

async function handle(desk: Desk, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(incoming);
  const request: SignedRequest = { method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers: incoming.headers, body };
  if (request.url.startsWith('/_aws/')) {
    send(response, randomUUID(), answerAdmin(desk, request));
    return;
  }
  const requestId = randomUUID();
  const target = incoming.headers['x-amz-target'];
  const asked = readAsked(readClaim(request)?.service ?? 'rds', Array.isArray(target) ? target[0] : target, body);
  const { status, answer, lost } = await answered(desk, request, asked, requestId);
  if (lost) incoming.socket.destroy();
  else send(response, requestId, { status, ...answer });
}

interface Outcome {
  readonly status: number;
  readonly answer: Answer;
  readonly lost: boolean;
}

async function answered(
  { place, faults, calls }: Desk,
  request: SignedRequest,
  asked: Asked | undefined,
  requestId: string,
): Promise<Outcome> {
  if (!asked) return { status: 400, answer: { type: 'text/plain', body: 'the stand-in has no such service' }, lost: false };
  const claim = readClaim(request);
  const hits = faults.hitting(asked.action, claim?.region ?? '');
  const base = {
    at: new Date().toISOString(),
    requestId,
    service: claim?.service ?? '',
    action: asked.action,
    region: claim?.region ?? '',
    accessKeyId: claim?.accessKeyId ?? '',
    userAgent: header(request, 'user-agent') ?? '',
    parameters: withoutSecrets(asked.parameters),
    ...(hits.length > 0 ? { faults: hits.map(({ kind }) => kind) } : {}),
  };
  const lost = hits.some(({ kind }) => kind === 'lost');
  try {
    const answer = await perform(place, authenticate(place, request, new Date()), asked, hits, requestId);
    calls.add({ ...base, status: 200 });
    return { status: 200, answer, lost };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    calls.add({ ...base, status: error.status, code: error.code });
    return { status: error.status, answer: asked.refuse(error, requestId), lost };
  }
}

async function perform(place: Place, caller: Authenticated, asked: Asked, hits: readonly Fault[], requestId: string): Promise<Answer> {
  const { region } = caller.claim;
  for (const fault of hits) {
    if (fault.kind === 'slow') await wait(fault.ms ?? 1_000);
    const instead = answerOf(fault, caller.arn, asked.permission) ?? hiddenResource(place, region, asked, fault);
    if (instead) throw instead;
  }
  authorise(caller, asked.permission);
  try {
    return await asked.perform(place, region, caller, requestId);
  } finally {
    if (!/^(?:Describe|List|Get)/.test(asked.action)) place.save();
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    size += part.length;
    if (size > longestBody) throw new Error('the body is too long');
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, requestId: string, { status, type, body }: Answer & { readonly status: number }): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'x-amzn-requestid': requestId });
  response.end(body);
}
