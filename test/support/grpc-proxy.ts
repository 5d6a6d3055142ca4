import { connect, createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A gRPC status that the proxy answers itself; `silent`: no answer; `lost`: the server gets the call and its answer is dropped. */
export type Fault = { readonly status: number; readonly message?: string } | 'silent' | 'lost';

export interface GrpcProxy {
  readonly address: string;
  /** By the method's name, such as `UpdateWorkflowExecution`. */
  readonly faults: Map<string, Fault>;
  close(): Promise<void>;
}

/** Stands in front of a real gRPC server and passes everything on, but for the methods that have a fault. */
export async function startGrpcProxy(target: string): Promise<GrpcProxy> {
  const faults = new Map<string, Fault>();
  const upstream = connect(`http://${target}`);
  upstream.on('error', () => undefined);
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => void sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const fault = faults.get(String(headers[':path']).split('/').at(-1) ?? '');
    if (fault === 'silent') return;
    if (typeof fault === 'object') {
      const status = { 'grpc-status': String(fault.status), 'grpc-message': encodeURIComponent(fault.message ?? 'injected') };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
      return;
    }
    const { ':authority': _, ...rest } = headers;
    const call = upstream.request(rest);
    call.on('error', () => stream.destroy());
    stream.pipe(call);
    if (fault === 'lost') call.resume();
    else answer(stream, call);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    faults,
    close: async () => {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answer(stream: ServerHttp2Stream, call: ReturnType<ReturnType<typeof connect>['request']>): void {
  let trailers: OutgoingHttpHeaders = {};
  call.on('response', (headers: IncomingHttpHeaders, flags: number) => {
    if (stream.destroyed) return;
    // A failure has no body: its status stands in the headers.
    const ends = (flags & 1) === 1;
    stream.respond({ ...headers }, ends ? { endStream: true } : { waitForTrailers: true });
    if (!ends) call.pipe(stream);
  });
  call.on('trailers', (headers: IncomingHttpHeaders) => {
    trailers = headers;
  });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
}
