import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with one request; the default is to serve correctly, ranges included. */
export type Behaviour =
  | 'serve'
  | { readonly kind: 'stall' | 'cut'; readonly afterBytes: number }
  | { readonly kind: 'lieAboutLength'; readonly length: number }
  | { readonly kind: 'wrongBytes' }
  | { readonly kind: 'ignoreRange' }
  | { readonly kind: 'otherRange' }
  | { readonly kind: 'html' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'endless' };

export interface Request {
  readonly url: string;
  readonly range?: string;
  readonly ifRange?: string;
}

/** A file server on this machine that can be told, per path and request, to misbehave. */
export async function startHostileServer() {
  const files = new Map<string, { body: Buffer; etag: string }>();
  const plans = new Map<string, Behaviour[]>();
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    const { range, 'if-range': ifRange } = request.headers as Record<string, string | undefined>;
    requests.push({ url, range, ifRange });
    const plan = plans.get(url);
    const behaviour = (plan && plan.length > 1 ? plan.shift() : plan?.[0]) ?? 'serve';
    answer(request, response, files.get(url), behaviour);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    base,
    requests,
    /** One behaviour per request; the last one repeats. */
    put(path: string, body: Buffer, plan: Behaviour[] = [], etag = `"${path}-${body.length}"`) {
      files.set(path, { body, etag });
      plans.set(path, [...plan]);
      return base + path;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  file: { body: Buffer; etag: string } | undefined,
  behaviour: Behaviour,
): void {
  if (!file && (behaviour === 'serve' || behaviour.kind !== 'redirect')) {
    response.writeHead(404).end('not found');
    return;
  }
  const kind = behaviour === 'serve' ? 'serve' : behaviour.kind;
  const body = kind === 'wrongBytes' ? Buffer.alloc(file!.body.length, 7) : file?.body;
  if (behaviour !== 'serve') {
    if (behaviour.kind === 'status') return void response.writeHead(behaviour.status).end();
    if (behaviour.kind === 'redirect')
      return void response.writeHead(302, { location: behaviour.to }).end();
    if (behaviour.kind === 'html')
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html>log in first</html>');
    if (behaviour.kind === 'endless') return void endless(response);
    if (behaviour.kind === 'lieAboutLength')
      return void response.writeHead(200, { 'content-length': behaviour.length }).end(body);
  }
  const start = startOf(request, file!.etag, kind);
  const headers: Record<string, string | number> = {
    etag: file!.etag,
    'content-length': body!.length - start,
    'content-type': 'application/octet-stream',
  };
  const claimed = kind === 'otherRange' && start > 0 ? start - 1 : start;
  if (start > 0) headers['content-range'] = `bytes ${claimed}-${body!.length - 1}/${body!.length}`;
  response.writeHead(start > 0 ? 206 : 200, headers);
  const rest = body!.subarray(start);
  if (behaviour !== 'serve' && (behaviour.kind === 'stall' || behaviour.kind === 'cut')) {
    const { afterBytes } = behaviour;
    response.write(rest.subarray(0, afterBytes), () => {
      if (behaviour.kind === 'cut') setTimeout(() => response.destroy(), 20);
    });
    return;
  }
  response.end(rest);
}

function startOf(request: IncomingMessage, etag: string, kind: string): number {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  if (!asked || kind === 'ignoreRange' || (ifRange && ifRange !== etag)) return 0;
  return Number(asked[1]);
}

function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
  };
  response.on('drain', more);
  more();
}
