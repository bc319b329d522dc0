import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Customer, Newcomer } from '../../studio/ports/studio.js';
import type { WebConfig, WebDeps } from '../dependencies.js';
import { IdempotencyKeyMissing } from '../errors.js';
import { languageOf } from '../language.js';
import type { LiveStreams } from '../live.js';
import { outsideAddress } from '../outside-address.js';
import type { PartialUploads } from '../partial-uploads.js';
import type { RateLimits } from '../rate-limits.js';
import type { Thumbnails } from '../thumbnails.js';
import type { ViewContext } from '../views.js';
import { type Identify, nobodyId } from '../visitor.js';

/** What every group of routes is given. */
export interface ApiContext extends WebDeps {
  readonly config: WebConfig;
  readonly identify: Identify;
  readonly rates: RateLimits;
  readonly live: LiveStreams;
  /** Photos that are sent in parts. */
  readonly parts: PartialUploads;
  readonly thumbnails: Thumbnails;
  readonly secure: (request: FastifyRequest) => boolean;
}

/** Who asks, and the words and addresses to answer with. */
export async function enter(api: ApiContext, request: FastifyRequest, reply: FastifyReply) {
  const { customer, chat } = await api.identify(request, reply);
  return { customer, chat, view: viewOf(api, request) };
}

/** Credits and settings of a customer, or what somebody who is none yet would find. */
export async function profileOf(
  { studio }: Pick<ApiContext, 'studio'>,
  { id, language }: Customer,
): Promise<Newcomer> {
  return id === nobodyId ? studio.newcomer('web', language) : studio.profile(id);
}

/** Language and addresses for an answer to this request. */
export function viewOf(api: ApiContext, request: FastifyRequest): ViewContext {
  return {
    messages: api.messages,
    language: languageOf(request),
    baseUrl: outsideAddress(api.config, request),
  };
}

/**
 * The customer's own Idempotency-Key as a natural key of the whole studio.
 * @throws {IdempotencyKeyMissing}
 */
export function idempotencyKey(request: FastifyRequest, customerId: string): string {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || !/^[\x21-\x7e]{8,128}$/.test(key)) {
    throw new IdempotencyKeyMissing();
  }
  return `web:${customerId}:${key}`;
}

/** Path with an id. */
export type IdParams = { Params: { id: string } };
