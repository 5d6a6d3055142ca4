import { once } from 'node:events';
import { Readable } from 'node:stream';
import pg from 'pg';

/** What the driver hands to a statement of its own in COPY; its types leave these three out. */
type CopyConnection = pg.Connection & {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
};

const batchBytes = 65_536;

/** A `COPY … TO STDOUT` as chunks of some 64 kB, no faster than they are read. A reader that stops early has to end the session. */
export function copyOut(client: pg.Client, text: string): Readable {
  const statement = new CopyOut(text);
  client.query(statement);
  return statement.rows;
}

/** A `COPY … FROM STDIN` fed with the chunks, no faster than the server takes them. Resolves with the number of rows. */
export async function copyIn(client: pg.Client, text: string, chunks: AsyncIterable<Buffer>): Promise<number> {
  return await new Promise((resolve, reject) => {
    const statement = new CopyIn(text, chunks);
    statement.on('end', (result) => (statement.broken === undefined ? resolve(result.rowCount ?? 0) : reject(asError(statement.broken))));
    statement.on('error', (error) => reject(asError(statement.broken ?? error)));
    client.query(statement);
  });
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/**
 * With a `query_timeout` the driver sets a callback of its own, and a statement that has one emits no error: nobody would hear of it. So
 * there is one always, and it emits.
 */
class Copy extends pg.Query {
  declare callback: (error: unknown) => void;

  constructor(text: string) {
    super(text);
    this.callback = (error) => {
      if (error instanceof Error) this.emit('error', error);
    };
  }
}

class CopyOut extends Copy {
  readonly rows: Readable;
  // The driver's buffers are used again after each message, so its bytes are taken over at once.
  #batch = Buffer.allocUnsafe(batchBytes);
  #filled = 0;
  #connection: pg.Connection | undefined;

  constructor(text: string) {
    super(text);
    this.rows = new Readable({ read: () => this.#connection?.stream.resume(), highWaterMark: 8 * batchBytes });
    // Heard by whoever reads; without a listener of its own an early one would end the process.
    this.rows.on('error', () => undefined);
    this.on('error', (error) => this.rows.destroy(error));
    this.on('end', () => {
      this.#push();
      this.rows.push(null);
    });
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }, connection: pg.Connection): void {
    this.#connection = connection;
    if (this.#filled + chunk.length > this.#batch.length) this.#push();
    if (chunk.length > this.#batch.length) this.#batch = Buffer.allocUnsafe(chunk.length);
    chunk.copy(this.#batch, this.#filled);
    this.#filled += chunk.length;
  }

  #push(): void {
    if (this.#filled === 0 || this.rows.destroyed) return;
    const more = this.rows.push(this.#batch.subarray(0, this.#filled));
    this.#batch = Buffer.allocUnsafe(batchBytes);
    this.#filled = 0;
    if (!more) this.#connection?.stream.pause();
  }
}

class CopyIn extends Copy {
  /** Why the chunks ended too early; the server then says only that we gave up. */
  broken: unknown;
  readonly #chunks: AsyncIterable<Buffer>;
  #over = false;

  constructor(text: string, chunks: AsyncIterable<Buffer>) {
    super(text);
    this.#chunks = chunks;
    for (const event of ['error', 'end'] as const) this.on(event, () => (this.#over = true));
  }

  handleCopyInResponse(connection: CopyConnection): void {
    void this.#feed(connection);
  }

  async #feed(connection: CopyConnection): Promise<void> {
    try {
      for await (const chunk of this.#chunks) {
        // The server has refused a row: it reads the rest away.
        if (this.#over) return;
        connection.sendCopyFromChunk(chunk);
        if (connection.stream.writableNeedDrain) await this.#drained(connection);
      }
      if (!this.#over) connection.endCopyFrom();
    } catch (error) {
      this.broken = error;
      connection.sendCopyFail('the other side of the copy failed');
    }
  }

  async #drained({ stream }: CopyConnection): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([once(stream, 'drain', { signal }), once(this, 'error', { signal })]).finally(() => over.abort());
  }
}
