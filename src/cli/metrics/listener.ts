import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isBearer } from '../../web/bearer.js';
import { AddressInUse } from '../../web/errors.js';

/** What is read for one scrape. */
export interface Figures {
  readonly contentType: string;
  readonly text: string;
}

export interface MetricsListener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A port of its own for `/metrics`, where nothing else is served: for workers, which have no page, and
 * for studios whose port is public. Without a token it answers requests for this machine's own names
 * only, so that a web page in the operator's browser cannot read it under another name.
 * @throws {AddressInUse}
 */
export async function openMetricsListener(
  read: () => Promise<Figures>,
  { host, port, token }: { host: string; port: number; token?: string },
): Promise<MetricsListener> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://metrics');
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') =>
      response
        .writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
        .end(request.method === 'HEAD' ? undefined : text);
    const may = token ? isBearer(request.headers.authorization, token) : isOwnName(request.headers);
    if (!may) return answer(token ? 401 : 403, 'refused\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'GET only\n');
    if (pathname !== '/metrics') return answer(404, 'see /metrics\n');
    return read().then(
      ({ contentType, text }) => answer(200, text, contentType),
      () => answer(500, 'figures cannot be read\n'),
    );
  });
  server.requestTimeout = 10_000;
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isOwnName({ host = '' }: { host?: string }): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new AddressInUse(host, port, error)));
    server.listen({ host, port }, resolve);
  });
}
