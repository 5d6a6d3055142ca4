import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { EventFilter } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { eventsSchema } from '../answers.ts';
import { needs, tokenOf } from '../bearer.ts';
import { createEventFeed, type EventFeed } from '../event-feed.ts';
import { eventStream } from '../event-stream.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { moment, personName, runId, whole } from './identifiers.ts';
import { findRecord } from './runs.ts';

const heartbeatMs = 15_000;
/** A client that takes nothing for so long is let go; it can come back with its Last-Event-ID. */
const stalledMs = 60_000;

const seq = whole(0, Number.MAX_SAFE_INTEGER);

const page = z.strictObject({
  after: seq.optional().describe('The `seq` of the last event that you have'),
  limit: whole(1, 1_000).default(200).describe('Of a page; a stream has none'),
});

const choice = page.extend({
  run: runId.optional(),
  kind: z
    .string()
    .regex(/^[a-z-]{1,30}\.[a-z-]{1,30}$/, 'a kind such as run.closed')
    .optional()
    .describe('Such as `run.closed`, `decision.made`, `step.failed`'),
  actor: personName.optional().describe('Who did it'),
  since: moment.optional().describe('Recorded at this time or later'),
  until: moment.optional().describe('Recorded before this time'),
});

const resumed = z.looseObject({ 'last-event-id': seq.optional().describe('Of a stream: the id of the last event that you have') });

const answers = {
  200: {
    description: 'A page; or, with `Accept: text/event-stream`, the events from there on as they are recorded, each as JSON in `data`',
    content: { 'application/json': { schema: eventsSchema }, 'text/event-stream': { schema: z.string() } },
  },
  204: z.null().describe('Of a stream: the run has ended, and you have everything'),
  ...problemAnswers(400, 401, 403, 404, 429, 503),
};

/** The audit: of one run, or of everything; by pages, or as it is written. */
export function eventRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    const feed = createEventFeed(parts.control.events, app.log);
    app.addHook('preClose', () => feed.close());
    app.get(
      '/events',
      {
        schema: {
          summary: 'The record of everything, oldest first, or as a stream',
          tags: ['audit'],
          security: needs('read'),
          headers: resumed,
          querystring: choice,
          response: answers,
        },
      },
      async (request, reply) => {
        const { run, ...asked } = request.query;
        return await answer(parts, feed, request, reply, { ...asked, run: run && (await findRecord(parts, run)).run });
      },
    );
    app.get(
      '/runs/:id/events',
      {
        schema: {
          summary: 'What happened in the run, oldest first, or as a stream that ends with the run',
          tags: ['runs'],
          security: needs('read'),
          params: z.object({ id: runId }),
          headers: resumed,
          querystring: page,
          response: answers,
        },
      },
      async (request, reply) =>
        await answer(parts, feed, request, reply, { ...request.query, run: (await findRecord(parts, request.params.id)).run }),
    );
  };
}

type Streaming = FastifyRequest & { headers: z.infer<typeof resumed> };

async function answer(
  parts: ApiParts,
  feed: EventFeed,
  request: Streaming,
  reply: FastifyReply,
  asked: EventFilter,
): Promise<FastifyReply> {
  if (request.headers.accept?.includes('text/event-stream') !== true) return await reply.send(await pageOf(parts, asked));
  const filter = { ...asked, after: request.headers['last-event-id'] ?? asked.after };
  const ended = filter.run !== undefined && (await parts.control.runs.record(filter.run))?.state === 'closed';
  // Browsers ask again when a stream has ended, until they are told that nothing comes any more.
  if (ended && (await parts.control.events.list({ ...filter, limit: 1 })).length === 0) return await reply.code(204).send();
  const closed = parts.streams?.open(request.token?.id ?? '');
  const follower = feed.follow(filter.run);
  const allowed = async (): Promise<void> => void (await tokenOf(parts, request));
  const events = eventStream({ events: parts.control.events, follower, filter, ended, heartbeatMs, allowed });
  const stream = Readable.from(untilRefused(events, request), { objectMode: false });
  whenClosed(reply, () => {
    follower.stop();
    closed?.();
  });
  reply.raw.setTimeout(stalledMs, () => reply.raw.destroy());
  return await reply.type('text/event-stream').header('Cache-Control', 'no-store').header('X-Accel-Buffering', 'no').send(stream);
}

/** Also for a client that left before anybody listened for that. */
function whenClosed(reply: FastifyReply, then: () => void): void {
  if (reply.raw.destroyed) then();
  else reply.raw.once('close', then);
}

/** Ends the stream where the control database does not answer, or the token is refused: asked again, the client is told why. */
async function* untilRefused(events: AsyncIterable<string>, request: FastifyRequest): AsyncGenerator<string> {
  try {
    yield* events;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    request.log.info({ err: error }, 'a stream of events was ended');
  }
}

async function pageOf(parts: ApiParts, asked: EventFilter): Promise<z.infer<typeof eventsSchema>> {
  const events = await parts.control.events.list(asked);
  const last = events.length === asked.limit ? events.at(-1) : undefined;
  return { events, next: last?.seq ?? null };
}
