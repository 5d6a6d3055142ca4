import type { FastifyBaseLogger } from 'fastify';
import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';
import { deliverUndelivered } from './deliver-undelivered.ts';
import { createReconciler } from './reconcile.ts';
import { repeat } from './repeat.ts';
import { buildApp } from './server.ts';
import { startUnstarted } from './start-unstarted.ts';
import { createSweepers } from './sweepers.ts';

export interface Listening {
  /** `http://127.0.0.1:8420`; with port 0, the one that was free. */
  readonly address: string;
  /** Answers what is under way, then stops. The parts stay open: they are their maker's. */
  close(): Promise<void>;
}

/**
 * The API on a socket, with its sweepers: runs that are not started, every 2 s; decisions that did not surely arrive, runs that were
 * reset and runs whose workflow is gone, every 5 s. Throws `configuration-invalid` when the address is taken, or not one of this machine.
 */
export async function listen(parts: ApiParts, at: { host: string; port: number }, log: FastifyBaseLogger): Promise<Listening> {
  const sweepers = parts.sweepers ?? createSweepers();
  const app = await buildApp({ ...parts, sweepers }, log);
  const address = await app.listen(at).catch((error: unknown) => {
    throw cannotListen(at, error);
  });
  const reconcile = createReconciler(parts, log);
  const sweep = (name: string, everyMs: number, work: () => Promise<void>, purpose: string): { stop(): Promise<void> } =>
    repeat(name, everyMs, work, log, sweepers.begin(name, purpose));
  const sweeping = [
    sweep('start-unstarted', 2_000, () => startUnstarted(parts, log), 'a run that was requested while Temporal was away does not start'),
    sweep('deliver-undelivered', 5_000, () => deliverUndelivered(parts, log), 'a decision that did not reach its run is not sent again'),
    sweep('reconcile', 5_000, reconcile, 'a run whose workflow ended stays open, and keeps its lease'),
  ];
  return {
    address,
    close: async () => {
      await Promise.all(sweeping.map((one) => one.stop()));
      await app.close();
    },
  };
}

function cannotListen({ host, port }: { host: string; port: number }, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  const what = `the API cannot listen at ${host}:${port} (${why}); STEADYHAND_API_HOST and STEADYHAND_API_PORT say where`;
  return new Failure('configuration-invalid', what, { host, port }, error);
}
