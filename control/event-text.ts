import { canonical } from '../domain/digest.ts';
import { redact } from '../domain/redaction.ts';
import type { Actor } from './contract.ts';
import { asJson } from './db.ts';

/** What the engine does by itself. */
export const engine: Actor = { kind: 'system', name: 'steadyhand', channel: 'engine' };

/**
 * The text of an event as it is stored and hashed: canonical JSON of who did it and what. Passwords and tokens that slipped into
 * a reason or a message are struck out, since nothing can be taken out of the chain later.
 */
export function eventText(actor: Actor, data: Readonly<Record<string, unknown>>): string {
  return `{"actor":${actorText(actor)},"data":${canonical(cleaned(data))}}`;
}

/** The actor's part of it: for events of which only the database knows the rest. */
export function actorText({ kind, name, channel }: Actor): string {
  return canonical(cleaned({ kind, name, channel }));
}

/** A row's texts, typed by people or thrown by servers, as the event beside it has them: without secrets. */
export function tellingJson(value: unknown): string {
  return asJson(cleaned(value));
}

/** One text of them. */
export function told(text: string): string {
  return redact(text).toWellFormed();
}

/** The same value as JSON has it, with every text redacted and well-formed (half a surrogate pair has no canonical form). */
export function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return told(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return cleaned(value.toJSON());
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key.toWellFormed(), cleaned(one)]));
}
