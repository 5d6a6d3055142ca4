import { pino, stdSerializers, type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import { redact } from '../domain/redaction.ts';

/** JSON lines on stdout, with bearer tokens, passwords and connection strings struck out of headers, messages and errors. */
export function createLogger(level: LevelWithSilent, to?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'steadyhand-api' },
    redact: ['req.headers.authorization', 'headers.authorization', 'authorization', '*.password', '*.token', '*.secret'],
    serializers: { err: redactedError },
  };
  return to === undefined ? pino(options) : pino(options, to);
}

function redactedError(error: Error): Record<string, unknown> {
  const { type, message, stack, code } = stdSerializers.err(error) as ReturnType<typeof stdSerializers.err> & { code?: unknown }; // a failure, and a driver’s error, has a code
  return { type, message: redact(message), stack: redact(stack), ...(code === undefined ? {} : { code }) };
}
