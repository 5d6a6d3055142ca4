import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { SecretReference } from '../../domain/inventory.ts';
import type { Aws } from './aws.ts';

type SecretsManagerReference = Extract<SecretReference, { secretsManager: string }>;

const fields = z.record(z.string(), z.unknown());

/**
 * The value as it is now. Never let it leave the activity. Raises what `Aws.call` does, and `configuration-invalid` when the secret
 * holds no text or lacks the field; no message has anything of the value.
 */
export async function secretValue(aws: Aws, { secretsManager: id, region, field }: SecretsManagerReference): Promise<string> {
  // Named, since without a stage not every server answers with the current one.
  const input = { SecretId: id, VersionStage: 'AWSCURRENT' };
  const { SecretString: text } = await aws.call(region, 'secretsmanager:GetSecretValue', input, id);
  const value = field === undefined || text === undefined ? text : fieldOf(text, field);
  if (typeof value === 'string' && value !== '') return value;
  const what = field === undefined ? 'no text' : `no text in a field "${field}"`;
  throw new Failure('configuration-invalid', `the secret ${id} in ${region} has ${what}`, { secret: id, region });
}

function fieldOf(text: string, field: string): unknown {
  try {
    const read = fields.safeParse(JSON.parse(text)).data;
    return read && Object.hasOwn(read, field) ? read[field] : undefined;
  } catch {
    return undefined;
  }
}
