/** A row that was acknowledged, and when it was written. */
export interface Beat {
  readonly table: string;
  readonly id: number;
  readonly at: Date;
}

export interface Heart {
  /** Every acknowledged beat, oldest first. */
  readonly beats: readonly Beat[];
  /** Beats only into these tables from now on. */
  into(...tables: string[]): void;
  stop(): Promise<void>;
}

/** A connection, or what makes one again when it was lost. */
export interface Writer {
  query<Row extends Record<string, unknown>>(text: string): Promise<{ rows: Row[] }>;
}

const everyMs = 100;

/**
 * A row every 100 ms into each of the tables, always 50 ms off the whole tenth: so none lies so close to a whole second that its
 * commit may be on the other side. The tables have `id` and `at`.
 */
export function startHeart(client: Writer, ...tables: string[]): Heart {
  const beats: Beat[] = [];
  let into = tables;
  let beating = true;
  const work = (async () => {
    while (beating) {
      await new Promise((resolve) => setTimeout(resolve, everyMs - ((Date.now() + everyMs / 2) % everyMs)));
      for (const table of into) {
        const { rows } = await client.query<{ id: string; at: Date }>(
          `INSERT INTO ${table} (at) VALUES (clock_timestamp()) RETURNING id::text, at`,
        );
        for (const { id, at } of rows) beats.push({ table, id: Number(id), at });
      }
    }
  })();
  return {
    beats,
    into: (...others) => {
      into = others;
    },
    stop: async () => {
      beating = false;
      await work;
    },
  };
}
