import type { FastifySchema } from 'fastify';
import { type RouteSchema, refusal } from './openapi.js';

/** Title, words and names of /api/docs, grouped by the first word of the path. */
export const openapi = {
  transform: ({ schema, url }: { schema: FastifySchema; url: string }) => {
    const [, , , group = 'other'] = url.split('/');
    return { schema: { tags: [group], ...documented(schema) }, url };
  },
  refResolver: {
    buildLocalReference: (shape: { $id?: unknown }, _base: unknown, _part: unknown, i: number) =>
      typeof shape.$id === 'string' ? shape.$id : `Shape${i}`,
  },
  openapi: {
    info: {
      title: 'Huancai API',
      description:
        'Send a photo, get its colours back. A signed cookie given with the first answer tells who you are: ' +
        'keep it (curl -b jar -c jar). Errors are RFC 9457 problem details with a stable `code`.',
      version: '1',
    },
    components: {
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: 'huancai' },
      },
    },
  },
} as const;

/** What only readers need: fastify itself would check or serialize by it. */
function documented({ form, needs, refusals = {}, ...schema }: RouteSchema): FastifySchema {
  const named = Object.entries(refusals).map(([status, when]) => [status, refusal(when)]);
  const usual = { 200: answer(schema.produces), '4xx': refusal(), '5xx': refusal() };
  return {
    ...schema,
    ...(form ? { body: form } : {}),
    ...(needs ? { headers: { ...(schema.headers as object), required: needs } } : {}),
    response: {
      ...((schema.response as object | undefined) ?? usual),
      ...Object.fromEntries(named),
    },
  };
}

function answer(produces: readonly string[] | undefined): object {
  if (!produces) return { description: 'Done', type: 'object', additionalProperties: true };
  const file = { schema: { type: 'string', format: 'binary' } };
  const content = Object.fromEntries(produces.map((type) => [type, file]));
  return { description: 'The file, or the stream of events', content };
}
