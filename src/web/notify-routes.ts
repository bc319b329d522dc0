import type { FastifyInstance } from 'fastify';
import { limits } from '../studio/limits.js';
import type { WebDeps } from './dependencies.js';

/** Not for browsers, and not under the limits that are for them. */
const service = { schema: { hide: true }, config: { service: true } };

/**
 * `POST /notify/<gateway>`: a provider says that something happened. Verified over the raw bytes,
 * recorded, answered in the provider's own words; the work is done later by `settle`.
 */
export async function notifyRoutes(app: FastifyInstance, deps: WebDeps): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: limits.web.notificationBytes },
    (_request, body, done) => done(null, body),
  );
  for (const gateway of deps.gateways) {
    app.post(`/notify/${gateway.id}`, service, async (request, reply) => {
      const outcome = await receive(deps, gateway.id, {
        headers: request.headers,
        body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      });
      const answer = gateway.notificationReply(outcome);
      return reply.code(answer.status).type(answer.contentType).send(answer.body);
    });
  }
  for (const webhook of deps.webhooks ?? []) {
    app.post(webhook.path, service, async (request, reply) => {
      const secret = request.headers[webhook.secretHeader];
      const body = parseJson(request.body);
      if (body === undefined) return reply.code(400).send();
      const status = await webhook.receive(typeof secret === 'string' ? secret : undefined, body);
      return reply.code(status).send();
    });
  }
}

function parseJson(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch {
    return undefined;
  }
}

async function receive(
  deps: WebDeps,
  gateway: Parameters<WebDeps['studio']['receiveNotification']>[0],
  raw: Parameters<WebDeps['studio']['receiveNotification']>[1],
) {
  try {
    return await deps.studio.receiveNotification(gateway, raw);
  } catch (error) {
    // Not recorded, so not accepted: the provider sends it again, and polling settles anyway.
    deps.logger.error('notification.notRecorded', { gateway, err: error });
    return 'tryAgain' as const;
  }
}
