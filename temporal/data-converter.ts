import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { payloadCodec, type PayloadKey } from './payload-codec.ts';

/** How clients, workers and replays read and write payloads. Without keys: as Temporal does by default, readable there. */
export function dataConverterOf(keys: readonly PayloadKey[]): DataConverter {
  const [first, ...others] = keys;
  if (!first) return {};
  return {
    payloadCodecs: [payloadCodec([first, ...others])],
    failureConverterPath: fileURLToPath(new URL('./encoded-failures.ts', import.meta.url)),
  };
}
