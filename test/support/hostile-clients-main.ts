// A process of its own, so that its work does not slow down the client that is measured: `node hostile-clients-main.ts <url> <tokens>
// <seconds> <pumps>`. Each token is a client that sends one request after the other. A pump is a text to repeat up to 256 kB. Prints
// how many of each kind were answered, as JSON.
import { request, Agent, type OutgoingHttpHeaders } from 'node:http';

interface Attack {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

const most = 256 * 1024;
/** Node refuses headers above 16 kB; this much is read. */
const inHeaders = 14_000;
const filled = (pump: string, length: number): string => pump.repeat(Math.floor(length / pump.length));

function attacksOf(pump: string): Attack[] {
  const run = { runbook: 'migration-cutover', database: 'orders', input: { target: 'orders-18' } };
  const [whole, body, head] = [filled(pump, most), filled(pump, most - 500), filled(pump, inHeaders)];
  const keyed = (text: string): string => `${JSON.stringify(run).slice(0, -1)},${JSON.stringify(text)}:1}`;
  return [
    { name: 'path', method: 'GET', path: `/v1/${whole}` },
    { name: 'path', method: 'GET', path: `/v1/${head}` },
    { name: 'path', method: 'GET', path: `/${head}` },
    { name: 'path', method: 'GET', path: `/v1/runs?${head}=1&limit=${head.slice(0, 1_000)}` },
    { name: 'key', method: 'POST', path: '/v1/runs', body: keyed(body) },
    { name: 'key', method: 'POST', path: '/v1/runs', body: JSON.stringify({ ...run, input: { [body]: 1 } }) },
    { name: 'key', method: 'POST', path: '/v1/plans', body: JSON.stringify({ ...run, input: { target: 'orders-18', [body]: 1 } }) },
    { name: 'value', method: 'POST', path: '/v1/runs', body: JSON.stringify({ ...run, database: body }) },
    { name: 'value', method: 'POST', path: '/v1/plans', body: JSON.stringify({ ...run, input: { target: body } }) },
    { name: 'value', method: 'POST', path: '/v1/freezes', body: JSON.stringify({ reason: body }) },
    { name: 'header', method: 'GET', path: '/v1/runs', headers: { 'x-any': whole } },
    { name: 'header', method: 'GET', path: '/v1/runs', headers: { 'user-agent': head } },
    { name: 'header', method: 'POST', path: '/v1/runs', headers: { 'idempotency-key': head }, body: JSON.stringify(run) },
    { name: 'header', method: 'POST', path: '/v1/runs', headers: { 'content-type': `application/${head}` }, body: '{}' },
    { name: 'header', method: 'GET', path: '/v1/runs', headers: { authorization: `Bearer ${head}` } },
    { name: 'server-error', method: 'POST', path: '/v1/plans', body: JSON.stringify(run) },
  ];
}

const [url = '', tokens = '', seconds = '1', pumps = ''] = process.argv.slice(2);
const attacks = pumps.split(',').flatMap(attacksOf);
const until = performance.now() + Number(seconds) * 1_000;
const answered: Record<string, number> = {};
const longest: Record<string, number> = {};
await Promise.all(tokens.split(',').map((token, index) => client(token, index * 5)));
process.stdout.write(JSON.stringify({ answered, longest }));

/** Half of its requests come without a valid token. */
async function client(token: string, offset: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = offset; performance.now() < until; count += 1) {
    const attack = attacks[Math.floor(count / 2) % attacks.length];
    if (attack === undefined) break;
    const { status, length } = await send(agent, attack, count % 2 === 0 ? token : undefined);
    const kind = `${attack.name} ${status}`;
    answered[kind] = (answered[kind] ?? 0) + 1;
    longest[attack.name] = Math.max(longest[attack.name] ?? 0, length);
  }
  agent.destroy();
}

/** Status 0: the server ended the connection, as it may while it refuses what is too long. */
function send(
  agent: Agent,
  { method, path, headers, body }: Attack,
  token: string | undefined,
): Promise<{ status: number; length: number }> {
  return new Promise((resolve) => {
    let length = 0;
    const end = (status: number): void => resolve({ status, length });
    const sent = request(
      `${url}${path}`,
      {
        agent,
        method,
        headers: {
          'idempotency-key': 'hostile',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (answer) => {
        answer.on('data', (chunk: Buffer) => (length += chunk.length));
        answer.once('end', () => end(answer.statusCode ?? 0));
        answer.once('error', () => end(0));
      },
    );
    sent.once('error', () => end(0));
    sent.setTimeout(20_000, () => sent.destroy());
    sent.end(body);
  });
}
