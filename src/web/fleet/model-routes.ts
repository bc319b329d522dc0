import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { FleetModels } from '../dependencies.js';
import { NoSuchPage } from '../errors.js';

const schema = {
  hide: true,
  params: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]*\\.(onnx|json)$' } },
  },
} as const;

/** The studio as a mirror of models: `<id>.json` says what `<id>.onnx` is. */
export function fleetModelRoutes(app: FastifyInstance, models: FleetModels): void {
  app.get<{ Params: { name: string } }>('/models/:name', { schema }, async (request, reply) => {
    const { name } = request.params;
    const id = name.slice(0, name.lastIndexOf('.'));
    const model = models.published(id);
    if (!model) throw new NoSuchPage();
    reply.header('cache-control', 'no-store');
    if (name.endsWith('.json')) return model.record;
    const options = { contentType: false, cacheControl: false, dotfiles: 'allow' } as const;
    reply.header('content-type', 'application/octet-stream');
    return reply.sendFile(path.basename(model.file), path.dirname(model.file), options);
  });
}
