import { AwsError } from './aws-error.ts';

/** A version of PostgreSQL that instances can have, and where its programs are. */
export interface EngineVersion {
  /** `16.14` */
  readonly version: string;
  readonly major: string;
  readonly bin: string;
}

/** The version that was asked for, by its major alone too. Throws AWS's answer for one that isn't offered. */
export function engineVersion(engines: readonly EngineVersion[], asked: string | undefined): EngineVersion {
  const found =
    engines.find(({ version, major }) => version === asked || major === asked) ?? (asked === undefined ? engines.at(-1) : undefined);
  if (!found) throw new AwsError('InvalidParameterCombination', `Cannot find version ${asked} for postgres`);
  return found;
}
