import type pg from 'pg';
import { Failure } from '../domain/failure.ts';
import type { Writer } from './heart.ts';

/** A client as an application has it: when its connection is lost it makes another one and asks again, until it gets an answer. */
export interface Reconnecting extends Writer {
  /** How often it had to connect again. */
  reconnects(): number;
  /** Gives up what it is at. */
  end(): Promise<void>;
}

const againMs = 100;

export function reconnecting(connect: () => Promise<pg.Client>): Reconnecting {
  let client: pg.Client | undefined;
  let connected = 0;
  let ended = false;
  const connection = async (): Promise<pg.Client> => {
    if (client) return client;
    client = await connect();
    connected += 1;
    return client;
  };
  const drop = async (): Promise<void> => {
    const lost = client;
    client = undefined;
    await lost?.end().catch(() => undefined);
  };
  return {
    reconnects: () => Math.max(0, connected - 1),
    end: async () => {
      ended = true;
      await drop();
    },
    query: async <Row extends Record<string, unknown>>(text: string) => {
      for (;;) {
        if (ended) throw new Failure('cancelled', 'the client was ended');
        try {
          return await (await connection()).query<Row>(text);
        } catch {
          await drop();
          await new Promise((resolve) => setTimeout(resolve, againMs));
        }
      }
    },
  };
}
