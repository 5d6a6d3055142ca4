import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { temporalFailure } from '../temporal/connect.ts';
import type { Config } from './config.ts';

/** The workers' own connection. Throws `temporal-unavailable` naming the address and what is wrong. */
export async function connectNative({ temporal }: Pick<Config, 'temporal'>): Promise<NativeConnection> {
  const { connectionOptions, namespace = 'default' } = temporal;
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    // Both sides take the ecosystem's own names for address, TLS and key.
    return await NativeConnection.connect({ ...connectionOptions, address } as NativeConnectionOptions);
  } catch (error) {
    throw temporalFailure(error, { address, namespace, tls: Boolean(connectionOptions.tls) });
  }
}
