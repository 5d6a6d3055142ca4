import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { Failure } from '../domain/failure.ts';

/** Below the ports that the kernel hands to outgoing connections, so that none of those takes it in between. */
const lowest = 15_000;
const highest = 32_000;

/** So many different ports of 127.0.0.1 on which nothing listens now. All are held until the last is found. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    for (let tries = 0; held.size < count; tries += 1) {
      if (tries > 1_000) throw new Failure('conflict', `no ${count} free ports between ${lowest} and ${highest} on 127.0.0.1`);
      const port = randomInt(lowest, highest);
      const server = held.has(port) ? undefined : await listen(port);
      if (server) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
