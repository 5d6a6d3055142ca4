import { connect, createServer, type Socket } from 'node:net';

/** What happens when a statement passes: `answered` is before the client sees the answer, so the effect is there. */
export interface Trap {
  readonly statement: RegExp;
  readonly when: 'sent' | 'answered';
  /** Run once. The bytes wait until it has ended; `cut` loses them, and the connection with them. */
  readonly spring: () => Promise<'cut' | void> | void;
}

export interface Tap {
  readonly host: string;
  readonly port: number;
  /** Waits for the statement; one trap springs once. Resolves when it has sprung. */
  set(trap: Trap): Promise<void>;
  close(): Promise<void>;
}

interface Armed extends Trap {
  done: () => void;
  sprung: boolean;
}

/**
 * A wire between the product and a server of PostgreSQL's protocol (PgBouncer's console too): passes every byte on, and springs
 * traps on statements. So faults happen at exact places without a switch in the product.
 */
export async function startTap(to: { host: string; port: number }): Promise<Tap> {
  const traps: Armed[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(to.port, to.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    wire(client, upstream, traps);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the tap has no port');
  return {
    host: '127.0.0.1',
    port: address.port,
    set: async (trap) => {
      await new Promise<void>((done) => {
        traps.push({ ...trap, done, sprung: false });
      });
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** ReadyForQuery: the server has answered all of it. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5]);

function wire(client: Socket, upstream: Socket, traps: Armed[]): void {
  let waiting: Armed | undefined;
  const spring = async (trap: Armed): Promise<void> => {
    trap.sprung = true;
    if ((await trap.spring()) === 'cut') {
      client.destroy();
      upstream.destroy();
    }
    trap.done();
  };
  passOn(client, upstream, async (bytes) => {
    const text = bytes.toString('latin1');
    const trap = traps.find((one) => !one.sprung && one.statement.test(text));
    if (trap?.when === 'sent') await spring(trap);
    else if (trap) waiting = trap;
  });
  passOn(upstream, client, async (bytes) => {
    const trap = waiting;
    if (!trap || trap.sprung || !bytes.includes(ready)) return;
    waiting = undefined;
    await spring(trap);
  });
}

/** Bytes in order, each chunk after what is done at it. */
function passOn(from: Socket, to: Socket, at: (bytes: Buffer) => Promise<void>): void {
  let before: Promise<void> = Promise.resolve();
  from.on('data', (bytes) => {
    from.pause();
    before = before.then(async () => {
      await at(bytes);
      if (!to.destroyed) to.write(bytes);
      from.resume();
    });
  });
  from.on('end', () => {
    void before.then(() => to.end());
  });
}
