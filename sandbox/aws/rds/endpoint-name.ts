import type { Instance } from './model.ts';

/** The host name of an instance's endpoint, as AWS forms it. Nobody resolves it here: the server's certificate alone has it. */
export function endpointName({ id, region }: Pick<Instance, 'id' | 'region'>): string {
  return `${id}.steadyhand.${region}.rds.amazonaws.com`;
}
