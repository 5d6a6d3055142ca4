import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import type { Xml } from '../xml.ts';
import { instanceXml } from './describe-instances.ts';
import { instanceOf, mustBe } from './names.ts';

export function rebootDBInstance({ query, rds, place, region }: Call): Xml {
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  mustBe(instance, 'available', 'storage-optimization', 'incompatible-parameters');
  const failover = query.flag('ForceFailover') === true;
  if (failover && !instance.multiAz)
    throw new AwsError(
      'InvalidParameterCombination',
      'ForceFailover cannot be specified since the instance is not configured for MultiAZ.',
    );
  instance.status = 'rebooting';
  place.effect('RebootDBInstance', region, instance.id);
  // The one that writes now: gone on after a restart, a failover that was done is not done again.
  place.jobs.begin('reboot', region, instance.resourceId, { failoverFrom: failover ? instance.writer : undefined });
  return { DBInstance: instanceXml(place, instance) };
}

export function stopDBInstance({ query, rds, place, region }: Call): Xml {
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  mustBe(instance, 'available');
  instance.status = 'stopping';
  place.effect('StopDBInstance', region, instance.id);
  place.jobs.begin('stop', region, instance.resourceId);
  return { DBInstance: instanceXml(place, instance) };
}

export function startDBInstance({ query, rds, place, region }: Call): Xml {
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  mustBe(instance, 'stopped');
  instance.status = 'starting';
  place.effect('StartDBInstance', region, instance.id);
  place.jobs.begin('start', region, instance.resourceId);
  return { DBInstance: instanceXml(place, instance) };
}
