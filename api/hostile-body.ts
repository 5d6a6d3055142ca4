import { Failure } from '../domain/failure.ts';

const deepest = 32;

/** Every later step looks at each value: schema, digest, canonical form. An input has some dozens; 10,000 took a core up to 90 ms. */
const valuesAtMost = 2_000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Values that a body of this route may have; default 2,000. */
    valuesAtMost?: number;
  }
}

/**
 * Refuses (`body-invalid`) what is valid JSON and still cannot be stored or hashed: text with NUL or half a surrogate pair,
 * nesting deeper than 32, more values than the route takes. Walks without recursion, so depth costs no stack.
 */
export function refuseHostileBody(body: unknown, most = valuesAtMost): void {
  const waiting: { value: unknown; depth: number }[] = [{ value: body, depth: 0 }];
  let values = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    if (depth > deepest) throw new Failure('body-invalid', `the body is nested deeper than ${deepest} levels`);
    if (typeof value === 'string') refuseText(value);
    if (typeof value !== 'object' || value === null) continue;
    values += Array.isArray(value) ? value.length : Object.keys(value).length;
    if (values > most) throw new Failure('body-invalid', `the body has more than ${most} values`);
    for (const [key, inner] of Object.entries(value)) {
      refuseText(key);
      waiting.push({ value: inner, depth: depth + 1 });
    }
  }
}

function refuseText(text: string): void {
  if (text.includes('\u0000')) throw new Failure('body-invalid', 'the body has text with a NUL character in it');
  if (!text.isWellFormed()) throw new Failure('body-invalid', 'the body has text that is not valid Unicode');
}
