import { qualified, quoteIdentifier } from '../../domain/command.ts';
import type { SideFacts } from '../replication/facts.ts';

export const extensionName = (one: { name: string }): string => `extension ${quoteIdentifier(one.name)}`;
export const schemaName = (one: string): string => `schema ${quoteIdentifier(one)}`;
export const tableName = (one: { schema: string; name: string }): string => `table ${qualified(one)}`;
export const sequenceName = (one: { schema: string; name: string }): string => `sequence ${qualified(one)}`;
export const materializedViewName = (one: { schema: string; name: string }): string => `materialized view ${qualified(one)}`;

/** Every user object of a side that a dump would make, in one naming: `kind identity`, names quoted. */
export function objectsOf(side: SideFacts): string[] {
  return [
    ...side.extensions.map(extensionName),
    ...side.schemas.map(schemaName),
    ...side.tables.map(tableName),
    ...side.sequences.filter((one) => one.extension === null).map(sequenceName),
    ...side.materializedViews.map(materializedViewName),
    ...side.otherObjects,
  ];
}
