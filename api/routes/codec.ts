import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { needs, requirePerson } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';

/** The payloads of a long history come at once, and each has about five values. */
const bodyLimit = 8 * 1024 * 1024;
const valuesAtMost = 10_000;

const payload = z.object({
  metadata: z.record(z.string(), z.base64()).default({}),
  data: z.base64().optional(),
});
const payloads = z.object({ payloads: z.array(payload).max(10_000) }).describe('Payloads as protobuf’s JSON: every value in base64');

/**
 * Temporal's codec server: its web page and its command line send the payloads that they show, and get them back readable. Only for
 * people with a token; from browsers only the page that the configuration names may ask.
 */
export function codecRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  const cors = async (_: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (parts.codec?.page === undefined) return;
    reply.headers({
      'Access-Control-Allow-Origin': parts.codec.page,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-Namespace',
      'Access-Control-Allow-Methods': 'POST',
      Vary: 'Origin',
    });
  };
  return async (app) => {
    app.options('/codec/decode', { onRequest: cors, schema: { hide: true } }, async (_, reply) => reply.code(204).send());
    app.post(
      '/codec/decode',
      {
        bodyLimit,
        config: { valuesAtMost },
        onRequest: [cors, requirePerson(parts)],
        schema: {
          summary: 'Decrypts payloads, for Temporal’s web page and command line',
          tags: ['service'],
          security: needs('decode'),
          body: payloads,
          response: { 200: payloads, ...problemAnswers(400, 401, 403, 404, 429, 500, 503) },
        },
      },
      async ({ body }) => {
        if (!parts.codec) throw new Failure('not-found', 'payloads are not encrypted here: STEADYHAND_PAYLOAD_KEYS is not set');
        const decoded = await parts.codec.payloads.decode(body.payloads.map(fromJson));
        return { payloads: decoded.map(toJson) };
      },
    );
  };
}

type Json = z.infer<typeof payload>;
type Coded = Parameters<NonNullable<ApiParts['codec']>['payloads']['decode']>[0][number];

function fromJson({ metadata, data }: Json): Coded {
  const entries = Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const);
  return { metadata: Object.fromEntries(entries), data: data === undefined ? null : Buffer.from(data, 'base64') };
}

function toJson({ metadata, data }: Coded): Json {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')] as const);
  return { metadata: Object.fromEntries(entries), ...(data ? { data: Buffer.from(data).toString('base64') } : {}) };
}
