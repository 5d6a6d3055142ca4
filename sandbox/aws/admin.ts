import type { CallLog } from './calls.ts';
import type { Fault, Faults } from './faults.ts';
import type { Place } from './place.ts';
import type { Answer } from './services.ts';
import type { SignedRequest } from './signature.ts';

interface Desk {
  readonly place: Place;
  readonly faults: Faults;
  readonly calls: CallLog;
}

/** For whoever isn't in this process: GET /_aws/effects, GET /_aws/calls, POST /_aws/faults (a fault), DELETE /_aws/faults. */
export function answerAdmin({ place, faults, calls }: Desk, { method, url, body }: SignedRequest): Answer & { readonly status: number } {
  switch (`${method} ${url}`) {
    case 'GET /_aws/effects':
      return json(200, place.state.effects);
    case 'GET /_aws/calls':
      return json(200, calls.all());
    case 'POST /_aws/faults':
      // The caller is a test or the demo, whose types hold it.
      faults.add(JSON.parse(body.toString('utf8')) as Fault);
      return json(201, {});
    case 'DELETE /_aws/faults':
      faults.clear();
      return json(200, {});
    default:
      return json(404, { message: 'GET /_aws/effects, GET /_aws/calls, POST /_aws/faults, DELETE /_aws/faults' });
  }
}

function json(status: number, value: unknown): Answer & { readonly status: number } {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}
