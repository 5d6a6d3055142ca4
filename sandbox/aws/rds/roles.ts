import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import { instanceOf, mustBe } from './names.ts';

/** One role for each feature, as at AWS. */
export function addRoleToDBInstance({ query, rds, place, region }: Call): undefined {
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  const [arn, feature] = [query.required('RoleArn'), query.required('FeatureName')];
  mustBe(instance, 'available');
  if (!/^arn:aws:iam::\d{12}:role\/.+/.test(arn)) throw new AwsError('InvalidParameterValue', `The role ARN ${arn} is not valid.`);
  if (instance.roles.some((one) => one.arn === arn || one.feature === feature))
    throw new AwsError('DBInstanceRoleAlreadyExists', `The role or the feature is associated with ${instance.id} already.`);
  instance.roles.push({ arn, feature });
  place.effect('AddRoleToDBInstance', region, instance.id);
}
