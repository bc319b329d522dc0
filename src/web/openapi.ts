import type { FastifyInstance, FastifySchema } from 'fastify';
import { apiShapes } from './api-shapes.js';

/** References for route schemas. */
export const ref = {
  one: (name: string) => ({ $ref: `${name}#` }),
  list: (name: string) => ({ type: 'array', items: { $ref: `${name}#` } }),
  empty: { type: 'null', description: 'Nothing to say' },
} as const;

/** Make the named shapes known to routes of this instance. */
export function addShapes(app: FastifyInstance): void {
  for (const [name, shape] of Object.entries(apiShapes)) app.addSchema({ $id: name, ...shape });
}

/** A route's schema; `form` and `refusals` are for readers only (openapi-document.ts). */
export interface RouteSchema extends FastifySchema {
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  readonly description?: string;
  /** Fields of a multipart body that the handler reads itself. */
  readonly form?: object;
  /** Headers that the handler asks for itself, in its own words. */
  readonly needs?: readonly string[];
  /** By status: when. */
  readonly refusals?: Readonly<Record<number, string>>;
}

/** How a refusal looks. */
export const refusal = (description = 'Refused: RFC 9457 problem details') => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
});

/** A route's schema: what it is for, what goes in and out, and how every route fails. */
export function describe(summary: string, schema: RouteSchema = {}): FastifySchema {
  const own = schema.response as Record<string, unknown> | undefined;
  const response = own === undefined ? undefined : { ...own, '4xx': refusal(), '5xx': refusal() };
  return { summary, ...schema, ...(response ? { response } : {}) } as FastifySchema;
}
