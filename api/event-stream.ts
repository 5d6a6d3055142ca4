import type { EventFilter, EventRow, Events } from '../control/contract.ts';
import type { Follower } from './event-feed.ts';

export interface EventStream {
  readonly events: Pick<Events, 'list'>;
  readonly follower: Follower;
  readonly filter: Omit<EventFilter, 'limit'>;
  /** What is followed was over when this began: what is there is sent, and nothing is waited for. */
  readonly ended: boolean;
  /** Something is sent this often, so that both ends notice when the other one is gone. */
  readonly heartbeatMs: number;
  /** Asked at each heartbeat; throws when whoever listens may listen no more. */
  allowed(): Promise<void>;
}

const pageOfEvents = 100;
/** For browsers: how long to wait before they connect again. */
const greeting = 'retry: 2000\n\n';

/**
 * Events as server-sent events, each with its `seq` as id, until the followed run has ended, the follower is stopped or may listen
 * no more. It reads the next page when the last one was taken: a slow client costs a page of memory and is never sent a gap.
 */
export async function* eventStream(stream: EventStream): AsyncGenerator<string> {
  const { follower, filter, heartbeatMs } = stream;
  let { after } = filter;
  let quietSince = Date.now();
  yield greeting;
  while (!follower.stopped) {
    follower.seen();
    const rows = await stream.events.list({ ...filter, after, limit: pageOfEvents });
    for (const row of rows) yield messageOf(row);
    after = rows.at(-1)?.seq ?? after;
    if (rows.length > 0) quietSince = Date.now();
    if (filter.run !== undefined && rows.some((row) => row.kind === 'run.closed')) return;
    if (rows.length === pageOfEvents) continue;
    if (stream.ended) return;
    await follower.changed(Math.max(0, quietSince + heartbeatMs - Date.now()));
    if (Date.now() - quietSince < heartbeatMs) continue;
    await stream.allowed();
    quietSince = Date.now();
    yield ': nothing new\n\n';
  }
}

function messageOf(row: EventRow): string {
  return `id: ${row.seq}\ndata: ${JSON.stringify(row)}\n\n`;
}
