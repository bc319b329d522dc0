import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { StudioError } from '../studio/errors/base.js';
import { limits } from '../studio/limits.js';
import type { Logger, Messages } from '../studio/ports/basics.js';
import type { Problem } from './api-types.js';
import {
  AddressTooLong,
  BodyTooLarge,
  ContentTypeUnsupported,
  NoSuchPage,
  RangeNotThere,
  RequestMalformed,
} from './errors.js';
import { fieldFault, type SchemaFault } from './field-fault.js';
import { languageOf } from './language.js';

/** HTTP status by error code; what is not listed is 400 when it never helps to retry, else 503. */
const statuses: Readonly<Record<string, number>> = {
  ADDRESS_IN_USE: 500,
  ADDRESS_TOO_LONG: 414,
  BLOB_DAMAGED: 503,
  BLOB_MISSING: 410,
  BLOBS_AWAY: 503,
  BODY_TOO_LARGE: 413,
  CANCELLED: 409,
  CHANNEL_AWAY: 503,
  CONTENT_TYPE_UNSUPPORTED: 415,
  CREDITS_INSUFFICIENT: 402,
  CROSS_SITE_REFUSED: 403,
  DATABASE_AWAY: 503,
  DATABASE_DAMAGED: 503,
  DATABASE_NEWER: 503,
  DISK_UNAVAILABLE: 507,
  GATEWAY_REFUSED: 502,
  GATEWAY_UNKNOWN: 502,
  HEADERS_TOO_LARGE: 431,
  IDEMPOTENCY_CONFLICT: 422,
  INFERENCE_FAILED: 503,
  INTAKE_CLOSED: 503,
  LABEL_UNCONFIRMED: 428,
  LEDGER_CONFLICT: 409,
  METRICS_REFUSED: 401,
  MODEL_MISSING: 400,
  NO_SUCH_PAGE: 404,
  NOT_FOUND: 404,
  NOT_POSSIBLE_NOW: 409,
  NOT_READY_YET: 409,
  OFFSET_MISMATCH: 409,
  PAYMENT_REQUIRED: 402,
  PHOTO_FILE_TOO_LARGE: 413,
  PHOTO_FORMAT_UNSUPPORTED: 415,
  PHOTO_TOO_LARGE: 413,
  PHOTO_TOO_SMALL: 422,
  PHOTO_UNREADABLE: 422,
  QUEUE_AWAY: 503,
  QUOTA_EXCEEDED: 429,
  RANGE_NOT_THERE: 416,
  REQUEST_TOO_SLOW: 408,
  TOO_MANY_REQUESTS: 429,
  UPLOAD_DAMAGED: 422,
  WORKER_REFUSED: 401,
};

/** Their words and values are for the operator: addresses, buckets, paths, what a machine ran out of. */
const forOperators = new Set([
  ...['BLOBS_AWAY', 'BLOB_DAMAGED', 'DATABASE_DAMAGED', 'DATABASE_NEWER', 'DISK_UNAVAILABLE'],
  ...['CARD_PAUSED', 'INFERENCE_FAILED', 'INFERENCE_OUT_OF_MEMORY'],
]);

/** @returns HTTP status of a StudioError. */
export function statusOf(error: StudioError): number {
  return statuses[error.code] ?? (error.retry === 'never' ? 400 : 503);
}

/**
 * The one place where errors become answers. Bugs of ours are a plain 500 with a reference that
 * the log repeats; nothing else of them leaves the process.
 */
export function createProblemHandler(deps: { messages: Messages; logger: Logger }) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const error = toStudioError(thrown);
    const status = error ? statusOf(error) : 500;
    const reference = error ? undefined : randomUUID();
    if (!error) {
      deps.logger.error('web.failed', { reference, route: request.routeOptions.url, err: thrown });
    } else if (status >= 500) {
      const { code, message } = error;
      const route = request.routeOptions.url;
      deps.logger.warn('web.refused', { code, route, detail: message, cause: error.cause });
    }
    const hidden = error !== undefined && status >= 500 && forOperators.has(error.code);
    const params = hidden ? {} : (error?.params ?? {});
    const detail = error
      ? deps.messages.text(
          hidden ? 'web.serverAway' : error.messageKey,
          languageOf(request),
          params,
        )
      : deps.messages.text('web.internal', languageOf(request), { reference: reference! });
    const problem = problemOf({
      ...{ code: error?.code ?? 'INTERNAL', status, detail, params, reference },
      instance: request.url.split('?')[0]!,
    });
    const retryAfter = retryAfterSeconds(error, status);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    endUnreadBody(request, reply);
    reply
      .code(status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .header('cache-control', 'no-store')
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problem);
  };
}

/** A refusal in the shape of all. */
export function problemOf(
  said: Omit<Problem, 'type' | 'title'> & { readonly params: StudioError['params'] },
): Problem {
  const { params, reference, ...own } = said;
  return {
    type: `urn:huancai:problem:${said.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[said.status] ?? 'Error',
    ...own,
    ...(Object.keys(params).length > 0 ? { params } : {}),
    ...(reference ? { reference } : {}),
  };
}

/** Fastify's own refusals (validation, body limits, malformed JSON) in our words. */
function toStudioError(thrown: unknown): StudioError | undefined {
  if (thrown instanceof StudioError) return thrown;
  const error = thrown as Partial<FastifyError>;
  const fault = error.validation?.[0];
  if (fault) return fieldFault(fault as SchemaFault, String(error.validationContext));
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return new AddressTooLong();
  if (error.code === 'FST_ERR_NOT_FOUND') return new NoSuchPage();
  if (error.statusCode === 416) return new RangeNotThere();
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new BodyTooLarge(limits.web.bodyBytes);
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new ContentTypeUnsupported('application/json');
  }
  if (typeof error.statusCode === 'number' && error.statusCode < 500) {
    return new RequestMalformed(error.message ?? 'broken');
  }
  return undefined;
}

function retryAfterSeconds(error: StudioError | undefined, status: number): number | undefined {
  const own = (error as { retryAfterSeconds?: number } | undefined)?.retryAfterSeconds;
  return own ?? (status === 503 || status === 507 ? 10 : undefined);
}

/**
 * The refused body may still be arriving: read on for a moment, so that the client sees our answer
 * instead of a reset, then hang up. A 1 GB stream is not worth reading to its end.
 */
function endUnreadBody(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request;
  if (raw.complete || raw.destroyed) return;
  reply.header('connection', 'close');
  raw.unpipe();
  raw.resume();
  const socket = raw.socket;
  const timer = setTimeout(() => socket.destroy(), 2_000).unref();
  socket.once('close', () => clearTimeout(timer));
}
