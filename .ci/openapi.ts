import { buildApp } from '../api/server.ts';
import { createControl } from '../control/control.ts';
import { Failure } from '../domain/failure.ts';
import { catalog } from '../workflows/catalog.ts';

/** The OpenAPI document as every API serves it, as text. Connects to nothing. */
export async function openapiText(): Promise<string> {
  const control = createControl({ connectionString: 'postgres://nobody@127.0.0.1:1/none', applicationName: 'docs' });
  const absent = (): Promise<never> => Promise.reject(new Failure('internal', 'pages are written without any server'));
  const app = await buildApp({
    control,
    temporal: {
      health: absent,
      ready: absent,
      start: absent,
      decide: absent,
      decideLater: absent,
      look: absent,
      running: absent,
      unpolled: absent,
      clearUp: absent,
    },
    inventory: () => {
      throw new Failure('internal', 'pages are written without an inventory');
    },
    catalog,
    planner: { plan: absent },
    provider: () => ({ provider: 'none', lacks: [], able: [] }),
    tagged: absent,
    owned: absent,
  });
  const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  await app.close();
  await control.close();
  return text;
}
