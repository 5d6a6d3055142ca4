import { DefaultFailureConverter, type PayloadConverter } from '@temporalio/common';
import { isFailureCode } from '../domain/failure.ts';

type Stored = ReturnType<DefaultFailureConverter['errorToFailure']>;

/** What stands as a failure's type beside our own codes; each is the SDK's or the engine's own word. */
const otherTypes: ReadonlySet<string> = new Set(['needs-attention', 'WorkerShutdown']);

/**
 * Failures of which message, stack and details go through the payload codec. The type stays readable at Temporal, since retries and
 * alerts go by it; so it is one of a closed list, and whatever else an error calls itself is `internal`.
 */
export class EncodedFailures extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true });
  }

  /** Called for every cause, too. */
  override errorToFailure(error: unknown, converter: PayloadConverter): Stored {
    const stored = super.errorToFailure(error, converter);
    const info = stored.applicationFailureInfo;
    if (!info || isFailureCode(info.type) || otherTypes.has(info.type ?? '')) return stored;
    return { ...stored, applicationFailureInfo: { ...info, type: 'internal' } };
  }
}

/** In a workflow's world: failures are to be encoded there. */
export const encodesFailures = 'steadyhandEncodesFailures';

/** By this name the SDK takes it from a file: here for clients and for activities. */
export const failureConverter = new EncodedFailures();
