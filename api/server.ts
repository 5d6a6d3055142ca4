import swagger from '@fastify/swagger';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { ulid } from 'ulid';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { redactExcerpt } from '../domain/redaction.ts';
import { planSchema, runDetailSchema, runRowSchema } from './answers.ts';
import { requirePerson } from './bearer.ts';
import { refuseHostileBody } from './hostile-body.ts';
import { measureRequests } from './metrics.ts';
import type { ApiParts } from './parts.ts';
import { problemSchema, sendProblem, unreadableAnswer } from './problems.ts';
import { auditRoutes } from './routes/audit.ts';
import { breakGlassRoutes } from './routes/break-glass.ts';
import { codecRoutes } from './routes/codec.ts';
import { databaseRoutes } from './routes/databases.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { eventRoutes } from './routes/events.ts';
import { freezeRoutes } from './routes/freezes.ts';
import { healthRoutes } from './routes/health.ts';
import { janitorRoutes } from './routes/janitor.ts';
import { leaseRoutes } from './routes/leases.ts';
import { planRoutes } from './routes/plans.ts';
import { problemRoutes } from './routes/problems.ts';
import { proofRoutes } from './routes/proofs.ts';
import { runRoutes } from './routes/runs.ts';
import { tokenRoutes } from './routes/tokens.ts';

const bodyLimit = 256 * 1024;

/** Characters of a path that an answer or a log line repeats. */
const pathLength = 300;

/**
 * The API as a Fastify application, not listening yet. Everything under /v1 needs a bearer token; every error is
 * problem+json; the OpenAPI document at /openapi.json is made from the schemas that check the requests.
 */
export async function buildApp(parts: ApiParts, log?: FastifyBaseLogger): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit,
    requestTimeout: 30_000,
    genReqId: () => ulid(),
    requestIdHeader: false,
    ...(parts.proxies === undefined || parts.proxies.length === 0 ? {} : { trustProxy: [...parts.proxies] }),
    ...(log === undefined ? {} : { loggerInstance: log }),
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.end(unreadableAnswer(error.code));
    },
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(nothingAt(request), request, reply));
  app.removeContentTypeParser('text/plain');
  app.addHook('preValidation', async (request) => refuseHostileBody(request.body, request.routeOptions.config.valuesAtMost));
  endConnections(app);
  // Before the body is read: a client without a token costs next to nothing.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw nothingAt(request);
  });
  app.decorateRequest('person', '');
  app.decorateRequest('token', null);
  await describe(app);
  const requests = measureRequests(app);
  await app.register(healthRoutes(parts, requests));
  await app.register(problemRoutes());
  await app.register(codecRoutes(parts));
  await app.register(versionOne(parts), { prefix: '/v1' });
  await app.ready();
  return app;
}

function versionOne(parts: ApiParts): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', requirePerson(parts));
    const routes = [
      planRoutes,
      runRoutes,
      eventRoutes,
      decisionRoutes,
      databaseRoutes,
      leaseRoutes,
      freezeRoutes,
      breakGlassRoutes,
      janitorRoutes,
      auditRoutes,
      proofRoutes,
      tokenRoutes,
    ];
    for (const make of routes) await app.register(make(parts));
  };
}

/**
 * Told to stop, Node waits a minute for a connection that became idle just then, or that never sent a request. Here all are ended as
 * soon as every request that is under way has its answer.
 */
function endConnections(app: FastifyInstance): void {
  let underWay = 0;
  app.addHook('onRequest', async (_, reply) => {
    underWay += 1;
    reply.raw.once('close', () => (underWay -= 1));
  });
  app.addHook('preClose', async () => {
    if (!app.server.listening) return;
    const timer = setInterval(() => {
      if (underWay === 0) app.server.closeAllConnections();
    }, 50);
    app.server.once('close', () => clearInterval(timer));
  });
}

async function describe(app: FastifyInstance): Promise<void> {
  // With the descriptions that stand in the schemas themselves.
  const schemaRegistry = z.globalRegistry;
  const named = { Problem: problemSchema, Run: runRowSchema, RunDetail: runDetailSchema, Plan: planSchema };
  for (const [id, schema] of Object.entries(named)) schemaRegistry.add(schema, { ...schemaRegistry.get(schema), id });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Steadyhand', version: '1', description: 'Durable runbooks for PostgreSQL: plan, request, follow, decide.' },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: '`sh_<id>_<secret>`, made by `steadyhand token create`' },
        },
      },
    },
    transform: createJsonSchemaTransform({ schemaRegistry }),
    transformObject: createJsonSchemaTransformObject({ schemaRegistry }),
  });
}

/** Names the path alone, cut: a query can hold anything. */
function nothingAt({ method, url }: FastifyRequest): Failure {
  return new Failure('not-found', `there is nothing at ${method} ${redactExcerpt(url.split('?')[0] ?? url, pathLength)}`);
}
