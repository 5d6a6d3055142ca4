import { AwsError } from './aws-error.ts';
import type { InstanceServers } from './clusters/instance-servers.ts';
import type { Jobs } from './job.ts';
import type { Query } from './query.ts';
import type { RdsRegion } from './rds/model.ts';
import type { Quotas } from './rds/default-quotas.ts';
import type { AwsCredential, AwsState } from './state.ts';
import type { EngineVersion } from './versions.ts';

/** What every call and every job works on. */
export interface Place {
  readonly state: AwsState;
  readonly directory: string;
  readonly engines: readonly EngineVersion[];
  readonly quotas: Quotas;
  readonly copiesAtOnce: number;
  readonly servers: InstanceServers;
  readonly jobs: Jobs;
  readonly log: (line: string) => void;
  /** Real milliseconds for what takes so many seconds at AWS. */
  pace(awsSeconds: number): number;
  /** The same of a state that something passes through. */
  stateLasts(awsSeconds: number): number;
  save(): void;
  /** Counts something that was really made, changed or deleted. */
  effect(action: string, region: string, resource: string): void;
}

/** Who calls: proved, and allowed to do this. */
export interface Caller {
  readonly arn: string;
  readonly credential: AwsCredential;
}

/** One call as an action sees it: who, where and what are settled. */
export interface Call {
  readonly place: Place;
  readonly region: string;
  readonly rds: RdsRegion;
  readonly query: Query;
  readonly caller: Caller;
}

/** The state of RDS in a region; jobs that go on after a restart have nothing else. */
export function rdsOf(place: Place, region: string): RdsRegion {
  const found = place.state.rds[region];
  if (!found) throw new AwsError('InvalidParameterValue', `Invalid region: ${region}`);
  return found;
}
