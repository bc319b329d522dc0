import type { FastifyRequest } from 'fastify';
import { CrossSiteRefused } from './errors.js';

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Cross-site request forgery: a browser says where a request comes from (Sec-Fetch-Site, Origin),
 * and another site's page is refused. A script says nothing and carries no one's cookie by
 * accident, so it needs no token.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 * @throws {CrossSiteRefused}
 */
export function refuseCrossSite(request: FastifyRequest, publicUrl?: string): void {
  if (safe.has(request.method)) return;
  const site = request.headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return;
  if (site !== undefined) throw new CrossSiteRefused();
  const { origin } = request.headers;
  if (origin === undefined) return;
  const own = `${request.protocol}://${request.host}`;
  if (origin !== own && origin !== (publicUrl && new URL(publicUrl).origin)) {
    throw new CrossSiteRefused();
  }
}
