import { pino, stdSerializers, type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import type { FastifyRequest } from 'fastify';
import { redactExcerpt } from '../domain/redaction.ts';

/** Characters of a text from outside that a line has at most. */
const limits = { url: 300, message: 8_000, stack: 16_000 };

/** JSON lines on stdout, with bearer tokens, passwords and connection strings struck out of headers, messages and errors. */
export function createLogger(level: LevelWithSilent, to?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'steadyhand-api' },
    redact: ['req.headers.authorization', 'headers.authorization', 'authorization', '*.password', '*.token', '*.secret'],
    serializers: { err: redactedError, req: shortRequest },
  };
  return to === undefined ? pino(options) : pino(options, to);
}

function redactedError(error: Error): Record<string, unknown> {
  const { type, message, stack, code } = stdSerializers.err(error) as ReturnType<typeof stdSerializers.err> & { code?: unknown }; // a failure, and a driver’s error, has a code
  return {
    type,
    message: redactExcerpt(message, limits.message),
    stack: redactExcerpt(stack, limits.stack),
    ...(code === undefined ? {} : { code }),
  };
}

function shortRequest({ method, url, host, ip, socket }: FastifyRequest): Record<string, unknown> {
  const short = (text: string): string => redactExcerpt(text, limits.url);
  return { method, url: short(url), host: short(host), remoteAddress: ip, remotePort: socket.remotePort };
}
