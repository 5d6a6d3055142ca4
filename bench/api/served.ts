import type { Client } from '@temporalio/client';
import { ulid } from 'ulid';
import { createLogger } from '../../api/logger.ts';
import { listen } from '../../api/listen.ts';
import type { ApiParts } from '../../api/parts.ts';
import type { Control } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { runNameOf } from '../../domain/run.ts';
import { temporalRuns } from '../../temporal/runs.ts';
import type { Approve } from '../engine/asking.ts';
import { inventory } from '../engine/inventory.ts';
import { catalog } from '../engine/plans.ts';

/** The product's API on a socket of the loopback address, and two of its clients. */
export interface ServedApi {
  /** `POST /v1/runs` as ada; the workflow id. */
  start(runbook: string): Promise<string>;
  /** `POST /v1/runs/:id/decisions` as grace. */
  readonly approve: Approve;
  stop(): Promise<void>;
}

export async function serveApi(control: Control, client: Client, taskQueue: string): Promise<ServedApi> {
  const { address, close } = await listen(partsOf(control, client, taskQueue), { host: '127.0.0.1', port: 0 }, createLogger('fatal'));
  const [ada, grace] = await Promise.all([tokenOf(control, 'ada'), tokenOf(control, 'grace')]);
  const post = async (path: string, token: string, body: unknown): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': ulid() };
    const response = await fetch(`${address}/v1/runs${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`the API answered ${response.status}: ${text}`);
    // Every answer of this API is an object.
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    start: async (runbook) => String((await post('', ada, { runbook, database: 'orders', input: {} }))['run']),
    approve: async (run, { approval, opening, digest }) =>
      await post(`/${runNameOf(run).id}/decisions`, grace, { approval, opening, digest, choice: 'approve' }),
    stop: close,
  };
}

function partsOf(control: Control, client: Client, taskQueue: string): ApiParts {
  return {
    control,
    temporal: temporalRuns(client, { taskQueue }),
    inventory: () => inventory,
    catalog,
    provider: () => ({ provider: 'streaming', lacks: [], able: [] }),
    planner: { plan: async () => await Promise.reject(new Failure('plan-impossible', 'the bench plans in its worker')) },
    tagged: async () => await Promise.resolve({ objects: [], unseen: [] }),
    owned: async () => await Promise.resolve({ objects: [], unseen: [] }),
  };
}

async function tokenOf(control: Control, person: string): Promise<string> {
  const { token } = await control.tokens.create({ person, actor: { kind: 'system', name: 'bench', channel: 'host' } });
  return token;
}
