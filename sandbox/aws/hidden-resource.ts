import { AwsError } from './aws-error.ts';
import type { Fault } from './faults.ts';
import type { Place } from './place.ts';
import type { Asked } from './services.ts';

/** The answer for what was made less than the fault's `ms` ago, when a call names it: AWS is not consistent at once. */
export function hiddenResource(place: Place, region: string, { parameters }: Asked, fault: Fault): AwsError | undefined {
  const rds = place.state.rds[region];
  if (fault.kind !== 'not-found' || !rds) return undefined;
  const [instance, snapshot] = [String(parameters['DBInstanceIdentifier']), String(parameters['DBSnapshotIdentifier'])];
  const young = (made: string | undefined): boolean => made !== undefined && Date.now() - new Date(made).getTime() < (fault.ms ?? 0);
  if (young(rds.snapshots[snapshot]?.requestedAt)) return new AwsError('DBSnapshotNotFound', `DBSnapshot ${snapshot} not found.`, 404);
  if (young(rds.instances[instance]?.createdAt)) return new AwsError('DBInstanceNotFound', `DBInstance ${instance} not found.`, 404);
  return undefined;
}
