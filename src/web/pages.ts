import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Where Vite puts the front end; a source run (jest) uses the built one as well. */
function builtAppDir(): string {
  const marker = `${path.sep}src${path.sep}`;
  const at = __dirname.lastIndexOf(marker);
  const base =
    at < 0
      ? __dirname
      : path.join(__dirname.slice(0, at), 'dist', __dirname.slice(at + marker.length));
  return path.join(base, 'app');
}

/**
 * A person who followed a wrong link gets a page with a way back; programs get a problem.
 * @returns whether it answered.
 */
export function missingPage(
  request: FastifyRequest,
  reply: FastifyReply,
  dir = builtAppDir(),
): boolean {
  const person = request.method === 'GET' && request.headers.accept?.includes('text/html');
  if (!person || request.url.startsWith('/api/')) return false;
  reply.code(404).header('cache-control', 'no-store');
  // The page of single addresses; it finds nothing at this one.
  reply.sendFile('pay.html', dir, { cacheControl: false });
  return true;
}

/** The product's icon in place of the documentation tool's own. */
export function pageIcon(dir = builtAppDir()) {
  const content = readFileSync(path.join(dir, 'icon.svg'));
  return { type: 'image/svg+xml', content, href: '/', target: '_self' } as const;
}

/**
 * The front end: `/`, `/pay/<token>`, `/sandbox/<trade>` and its files. File names carry a hash, so
 * they last; the pages themselves are always asked for again.
 * @throws when it was never built.
 */
export async function addPages(app: FastifyInstance, dir = builtAppDir()): Promise<void> {
  if (!existsSync(path.join(dir, 'index.html'))) {
    throw new Error(`the front end is not built (${dir}); run: npm run build`);
  }
  await app.register(fastifyStatic, {
    root: path.join(dir, 'assets'),
    prefix: '/assets/',
    index: false,
    immutable: true,
    maxAge: '365d',
  });
  const page = (name: string) => (_request: unknown, reply: FastifyReply) =>
    reply.header('cache-control', 'no-cache').sendFile(name, dir, { cacheControl: false });
  const hide = { schema: { hide: true } };
  app.get('/', hide, page('index.html'));
  app.get('/pay/:token', hide, page('pay.html'));
  app.get('/sandbox/:outTradeNo', hide, page('pay.html'));
  for (const file of ['icon.svg', 'manifest.webmanifest', 'robots.txt']) {
    app.get(`/${file}`, hide, page(file));
  }
  app.get('/favicon.ico', hide, page('icon.svg'));
}
