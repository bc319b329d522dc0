import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EmulatorRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface EmulatorReply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Close the socket instead of answering. */
  readonly reset?: boolean;
  readonly delayMs?: number;
  /** Say nothing, and leave the socket open. */
  readonly never?: boolean;
}

export interface EmulatorServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A small HTTP server: whole body in, one reply out. Loopback only. */
export async function startServer(
  handle: (request: EmulatorRequest) => Promise<EmulatorReply>,
  port = 0,
): Promise<EmulatorServer> {
  const server: Server = createServer((request, response) => {
    void serve(handle, request, response);
  });
  // As providers' own front ends: a client that was held up finds its connection still there.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function serve(
  handle: (request: EmulatorRequest) => Promise<EmulatorReply>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
    const url = request.url ?? '/';
    const parsed = new URL(url, 'http://emulator');
    const reply = await handle({
      method: request.method ?? 'GET',
      url,
      path: parsed.pathname,
      query: parsed.searchParams,
      headers: request.headers,
      body: Buffer.concat(parts),
    });
    if (reply.delayMs) await new Promise((resolve) => setTimeout(resolve, reply.delayMs));
    if (reply.never) return;
    if (reply.reset) {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, reply.headers ?? {});
    response.end(reply.body ?? '');
  } catch (error) {
    if (request.socket.destroyed) return;
    response.writeHead(599, { 'content-type': 'text/plain' });
    response.end(`emulator bug: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
