import { createServer } from 'node:net';

export interface RefusingPostgres {
  readonly port: number;
  close(): Promise<void>;
}

/** A server of PostgreSQL's protocol that refuses every login with this text, at any length. */
export async function startRefusingPostgres(message: () => string): Promise<RefusingPostgres> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const fields = Buffer.from(`SFATAL\0VFATAL\0C28000\0M${message()}\0\0`);
      const head = Buffer.alloc(5);
      head.write('E');
      head.writeInt32BE(fields.length + 4, 1);
      socket.end(Buffer.concat([head, fields]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
