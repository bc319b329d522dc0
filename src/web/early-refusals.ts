import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import { systemCodeOf } from '../studio/errors/base.js';
import type { StudioError } from '../studio/errors/index.js';
import type { Messages } from '../studio/ports/basics.js';
import { HeadersTooLarge, RequestMalformed, RequestTooSlow } from './errors.js';
import { problemOf, statusOf } from './problem.js';

type ProblemHandler = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** What no hook adds, because these answers come before any. */
const headers = (https: boolean): Readonly<Record<string, string>> => ({
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  ...(https ? { 'strict-transport-security': 'max-age=15552000; includeSubDomains' } : {}),
});

/**
 * Refusals before there is a route, in the shape of all others: addresses that cannot be read, and
 * bytes that are no request.
 */
export function earlyRefusals(
  deps: { readonly messages: Messages; readonly problem: ProblemHandler },
  https: boolean,
): Required<Pick<FastifyServerOptions, 'frameworkErrors' | 'clientErrorHandler'>> {
  return {
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers(https));
      deps.problem(error, request as FastifyRequest, reply as FastifyReply);
    },
    clientErrorHandler: (fault, socket) => {
      // A connection that broke asks for nothing.
      if (systemCodeOf(fault) === 'ECONNRESET' || socket.destroyed) return;
      if (socket.writable) write(socket, refusalOf(fault), deps.messages, headers(https));
      socket.destroySoon();
    },
  };
}

function refusalOf(fault: Error): StudioError {
  const code = systemCodeOf(fault) ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadersTooLarge();
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTooSlow();
  return new RequestMalformed(code);
}

/** By hand: Node has no response for what it could not read. Its language is not known either. */
function write(
  socket: Socket,
  error: StudioError,
  messages: Messages,
  more: Readonly<Record<string, string>>,
): void {
  const { code, messageKey, params } = error;
  const detail = messages.text(messageKey, 'en', params);
  const problem = problemOf({ code, status: statusOf(error), detail, params, instance: '' });
  const body = JSON.stringify(problem);
  const lines = Object.entries({
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    connection: 'close',
    ...more,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`);
}
