import { AwsError } from '../aws-error.ts';
import type { Call, Place } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import type { SubnetGroup } from './model.ts';
import { arn } from './names.ts';
import { pageOf } from './pages.ts';
import { tagsOf } from './tags.ts';

export function createDBSubnetGroup({ rds, query, place, region }: Call): Xml {
  const name = query.required('DBSubnetGroupName').toLowerCase();
  if (rds.subnetGroups[name]) throw new AwsError('DBSubnetGroupAlreadyExists', `The DB subnet group '${name}' already exists.`);
  const subnets = query.texts('SubnetIds') ?? [];
  if (subnets.length < 2)
    throw new AwsError(
      'DBSubnetGroupDoesNotCoverEnoughAZs',
      "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement.",
    );
  const group: SubnetGroup = { name, description: query.required('DBSubnetGroupDescription'), subnets, tags: tagsOf(query) };
  rds.subnetGroups[name] = group;
  place.effect(query.action, region, name);
  return { DBSubnetGroup: subnetGroupXml(place, region, group) };
}

export function describeDBSubnetGroups({ rds, query, place, region }: Call): Xml {
  const name = query.text('DBSubnetGroupName')?.toLowerCase();
  const found = Object.values(rds.subnetGroups).filter((one) => name === undefined || one.name === name);
  if (name !== undefined && found.length === 0) throw subnetGroupNotFound(name);
  const { items, marker } = pageOf(query, found);
  return {
    Marker: marker,
    DBSubnetGroups: list(
      'DBSubnetGroup',
      items.map((one) => subnetGroupXml(place, region, one)),
    ),
  };
}

export function deleteDBSubnetGroup({ rds, query, place, region }: Call): undefined {
  const name = query.required('DBSubnetGroupName').toLowerCase();
  if (!rds.subnetGroups[name]) throw subnetGroupNotFound(name);
  if (name === 'default' || Object.values(rds.instances).some(({ subnetGroup }) => subnetGroup === name))
    throw new AwsError(
      'InvalidDBSubnetGroupStateFault',
      `Cannot delete the subnet group '${name}' because at least one database instance is using it.`,
    );
  delete rds.subnetGroups[name];
  place.effect(query.action, region, name);
}

export function subnetGroupNotFound(name: string): AwsError {
  return new AwsError('DBSubnetGroupNotFoundFault', `DB subnet group '${name}' does not exist.`, 404);
}

export function subnetGroupXml(place: Place, region: string, { name, description, subnets }: SubnetGroup): Xml {
  return {
    DBSubnetGroupName: name,
    DBSubnetGroupDescription: description,
    VpcId: 'vpc-0',
    SubnetGroupStatus: 'Complete',
    Subnets: list(
      'Subnet',
      subnets.map((subnet, index) => ({
        SubnetIdentifier: subnet,
        SubnetAvailabilityZone: { Name: `${region}${'abc'[index % 3]}` },
        SubnetStatus: 'Active',
      })),
    ),
    DBSubnetGroupArn: arn(place, region, 'subgrp', name),
  };
}
