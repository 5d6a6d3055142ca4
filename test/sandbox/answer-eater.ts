import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that loses answers: each `every`-th COMMIT reaches the server, and its answer never comes back. */
export async function answerEater(
  server: { host: string; port: number },
  every: number,
): Promise<{ port: number; eaten(): number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let commits = 0;
  let eaten = 0;
  const proxy = createServer((client) => {
    const behind = connect(server);
    let eating = false;
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        behind.destroy();
      });
    }
    client.on('data', (sent) => {
      if (sent.includes('COMMIT')) {
        commits += 1;
        eating = commits % every === 0;
      }
      behind.write(sent);
    });
    behind.on('data', (answer) => {
      if (!eating) return void client.write(answer);
      eaten += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address of this form.
  const { port } = proxy.address() as AddressInfo;
  return {
    port,
    eaten: () => eaten,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
