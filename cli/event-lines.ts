import type { EventRow } from '../control/contract.ts';
import type { ApiClient } from './client.ts';
import { line } from './plain.ts';

const pageOfEvents = 500;

/** All events under a path of the API, in order, page by page. */
export async function* eventsOf(client: ApiClient, path: string, filter: Readonly<Record<string, string>> = {}): AsyncGenerator<EventRow> {
  const { eventsSchema } = await import('../api/answers.ts');
  const query = new URLSearchParams({ limit: String(pageOfEvents), ...filter });
  for (;;) {
    const { events, next } = await client.get(`${path}?${query.toString()}`, eventsSchema);
    yield* events;
    if (next === null) return;
    query.set('after', String(next));
  }
}

/** What an event does not say (null) is left out; `--json` has it. */
export function eventText({ seq, at, kind, actor, data }: EventRow): string {
  const said = Object.entries(data).filter(([, value]) => value !== null);
  const told = said.map(([name, value]) => `${name}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`);
  return [String(seq).padStart(5), at, kind.padEnd(18), line(actor.name), line(told.join(' '))].join('  ').trimEnd();
}
