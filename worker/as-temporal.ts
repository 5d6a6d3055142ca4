import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { Failure, type FailureFacts } from '../domain/failure.ts';
import { redactExcerpt } from '../domain/redaction.ts';

/** Characters, so that a failed step takes less than 16 kB of a run's history. */
const limits = { message: 8_000, facts: 4_000, text: 500, list: 20 };

/** Whatever an activity throws, as a failure that a person can be shown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('internal', error instanceof Error ? error.message : String(error), {}, error);
}

/**
 * A failure as Temporal takes it: its code as the type, its facts as the details. `superseded` is tried again: an attempt that
 * has really given way is not listened to any more, and the one that was overtaken by a late riser has to look again.
 */
export function asTemporal(failure: Failure, again: boolean = failure.retryable || failure.code === 'superseded'): ApplicationFailure {
  const delay = failure.facts['retryAfterMs'];
  return ApplicationFailure.create({
    message: clean(failure.message, limits.message),
    type: failure.code,
    nonRetryable: !again,
    details: [fitted(failure.facts)],
    ...(typeof delay === 'number' ? { nextRetryDelay: delay } : {}),
    ...(failure.code === 'not-yet' ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}

/** The facts, cut so that they fit; what was left out is named in `cut`. */
function fitted(facts: FailureFacts): FailureFacts {
  const kept: FailureFacts = {};
  const cut: string[] = [];
  let left = limits.facts;
  for (const [name, value] of Object.entries(facts)) {
    const fact = shortened(value);
    const size = name.length + (JSON.stringify(fact) ?? '').length;
    if (size > left) cut.push(name);
    else {
      kept[name] = fact;
      left -= size;
    }
  }
  return cut.length === 0 ? kept : { ...kept, cut: cut.slice(0, limits.list) };
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return clean(value, limits.text);
  if (Array.isArray(value)) return value.slice(0, limits.list).map(shortened);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shortened(one)]));
}

/** Cut, without secrets, and without what PostgreSQL can't store in a text. */
function clean(text: string, atMost: number): string {
  return redactExcerpt(text, atMost - 1)
    .replaceAll('\0', '')
    .toWellFormed();
}
