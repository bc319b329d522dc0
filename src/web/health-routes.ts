import type { FastifyInstance } from 'fastify';
import { StudioError } from '../studio/errors/base.js';
import type { HealthCheck, WebDeps } from './dependencies.js';

const checkTimeoutMs = 3_000;

/**
 * `/healthz`: this process answers. `/readyz`: everything it needs answers too; 200 as well while
 * only parts fail that it can do without (a chat that is away), with the status `degraded`.
 */
export function healthRoutes(app: FastifyInstance, deps: WebDeps): void {
  app.get('/healthz', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { status: 'ok' };
  });
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const results = await Promise.all(deps.health.map(run));
    const failed = deps.health.filter((_, i) => !results[i]?.[1].ok);
    const works = failed.every(({ dispensable }) => dispensable);
    const status = failed.length === 0 ? 'ready' : works ? 'degraded' : 'notReady';
    reply.code(works ? 200 : 503).header('cache-control', 'no-store');
    return { status, checks: Object.fromEntries(results) };
  });
}

type CheckResult = { ok: boolean; detail?: string };

/** A check that hangs has failed. Codes only: an error's words may name hosts and paths. */
async function run(check: HealthCheck): Promise<[string, CheckResult]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), checkTimeoutMs);
  });
  try {
    const detail = await Promise.race([check.check(), late]);
    return [check.name, { ok: true, ...(detail ? { detail } : {}) }];
  } catch (error) {
    const timedOut = error instanceof Error && error.message === 'timeout';
    const detail =
      error instanceof StudioError ? error.code : timedOut ? 'no answer' : 'not working';
    return [check.name, { ok: false, detail }];
  } finally {
    clearTimeout(timer);
  }
}
