import { Failure } from '../../domain/failure.ts';

/** Where an alias of a pooler points. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
}

/** As it stands in the file, and in the plan: `host=10.0.0.5 port=5432 dbname=orders`. */
export function addressText(address: Address): string {
  return `host=${quoteValue(address.host)} port=${address.port} dbname=${quoteValue(address.dbname)}`;
}

/** An alias as the file wants it: quoted when it has other characters than letters, digits and `_`. */
export function quoteAlias(alias: string): string {
  return /^\w+$/.test(alias) ? alias : `"${alias.replaceAll('"', '""')}"`;
}

/** A value of a connection string of the file: in single quotes, '' for one, when it has anything unusual in it. */
export function quoteValue(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new Failure('input-invalid', 'a line break cannot stand in a pooler’s file', { value });
  return /^[\w./@-]+$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
}
