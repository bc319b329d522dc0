import type { FastifyInstance } from 'fastify';
import type { ApiContext } from './api/context.js';
import { isBearer } from './bearer.js';
import { MetricsRefused } from './errors.js';

/**
 * `/metrics` for Prometheus, with a bearer token and never without: this port may be public, and a
 * reverse proxy on the same machine makes every visitor look local. Absent without a token.
 */
export function metricsRoute(app: FastifyInstance, { metrics, rates }: ApiContext): void {
  if (!metrics) return;
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (!isBearer(request.headers.authorization, metrics.token)) {
      await rates.metrics(request);
      reply.header('www-authenticate', 'Bearer');
      throw new MetricsRefused();
    }
    const { contentType, text } = await metrics.read();
    return reply.header('content-type', contentType).header('cache-control', 'no-store').send(text);
  });
}
