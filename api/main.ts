import { readConfig, type Config } from '../worker/config.ts';
import { createDependencies } from '../worker/dependencies.ts';
import { connectTemporal } from '../temporal/connect.ts';
import { dataConverterOf } from '../temporal/data-converter.ts';
import { temporalRuns } from '../temporal/runs.ts';
import { listen } from './listen.ts';
import { createLogger } from './logger.ts';
import type { ApiParts } from './parts.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRefusalLimit } from './refusal-limit.ts';
import { createStreamLimit } from './stream-limit.ts';

/**
 * Runs the API until SIGINT or SIGTERM. Throws at once, naming what is wrong, when configuration, control database, Temporal's
 * address or its namespace are not right. Once it listens, any of them may go and come back.
 */
export async function runApi({ environment }: { environment: Readonly<Record<string, string | undefined>> }): Promise<void> {
  const config = readConfig(environment);
  const log = createLogger(config.logLevel);
  const dependencies = createDependencies(config, { name: 'steadyhand api', environment });
  try {
    dependencies.inventory();
    await dependencies.control.ping();
    const dataConverter = dataConverterOf(config.payloadKeys);
    const client = await connectTemporal(config.temporal, { identity: 'steadyhand api', dataConverter });
    try {
      const temporal = temporalRuns(client, { taskQueue: config.taskQueue });
      const { control, inventory, catalog, preview, provider, tagged, owned } = dependencies;
      const parts = {
        control,
        inventory,
        catalog,
        planner: { plan: preview },
        provider,
        tagged,
        owned,
        temporal,
        ...limitsOf(config),
        ...codecOf(config),
      };
      const api = await listen(parts, config.api, log);
      await temporal.ready().catch((error: unknown) => log.warn({ err: error }, 'no run can be started yet'));
      log.info({ address: api.address }, 'api ready');
      await untilTold();
      log.info('api stops');
      await api.close();
    } finally {
      await client.connection.close();
    }
  } finally {
    await dependencies.close();
  }
}

function limitsOf({ api }: Config): Pick<ApiParts, 'limit' | 'streams' | 'refusals' | 'proxies'> {
  return {
    limit: createRateLimit(api.rate),
    streams: createStreamLimit(api.streams),
    refusals: createRefusalLimit(api.refusals),
    proxies: api.proxies,
  };
}

function codecOf({ payloadKeys, temporalPage }: Config): Pick<ApiParts, 'codec'> {
  const [payloads] = dataConverterOf(payloadKeys).payloadCodecs ?? [];
  return payloads ? { codec: { payloads, ...(temporalPage === null ? {} : { page: temporalPage }) } } : {};
}

function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
