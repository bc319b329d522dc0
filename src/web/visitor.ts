import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChatRef } from '../studio/jobs.js';
import type { Customer, Studio } from '../studio/ports/studio.js';
import { acceptedLanguage } from './language.js';

/** Who asks: a web customer is whoever holds the signed cookie. */
export interface Visitor {
  readonly customer: Customer;
  readonly chat: ChatRef;
}

declare module 'fastify' {
  interface FastifyRequest {
    visitor?: Visitor;
  }
}

const cookieName = 'huancai';
/** Browsers cap it at 400 days; every visit of the page renews it. */
const cookieSeconds = 400 * 24 * 3600;

/** The web identity in a valid cookie. */
export function cookieIdentity(request: FastifyRequest): string | undefined {
  const value = request.cookies[cookieName];
  if (!value) return undefined;
  const opened = request.unsignCookie(value);
  return opened.valid ? opened.value : undefined;
}

/** Answers who asks, making a customer at first sight. */
export type Identify = (request: FastifyRequest, reply: FastifyReply) => Promise<Visitor>;

/**
 * @param beforeNew called before a customer is made: the place for a rate limit.
 * @param secure whether to mark the cookie for https only.
 */
export function createIdentify(
  deps: { studio: Studio; beforeNew: (request: FastifyRequest) => Promise<void> },
  secure: (request: FastifyRequest) => boolean,
): Identify {
  return async (request, reply) => {
    if (request.visitor) return request.visitor;
    let identity = cookieIdentity(request);
    if (!identity) {
      await deps.beforeNew(request);
      identity = `web_${randomBytes(18).toString('base64url')}`;
      setCookie(reply, identity, secure(request));
    }
    const chat: ChatRef = { channel: 'web', chatId: identity };
    const language = acceptedLanguage(request.headers['accept-language']) ?? 'en';
    const customer = await deps.studio.identify(chat, identity, language);
    request.visitor = { customer, chat };
    return request.visitor;
  };
}

/** Keep a returning customer's cookie from running out. */
export function renewCookie(request: FastifyRequest, reply: FastifyReply, secure: boolean): void {
  const identity = cookieIdentity(request);
  if (identity) setCookie(reply, identity, secure);
}

/** Forget this browser. */
export function clearCookie(reply: FastifyReply): void {
  reply.clearCookie(cookieName, { path: '/' });
}

function setCookie(reply: FastifyReply, identity: string, secure: boolean): void {
  reply.setCookie(cookieName, identity, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    signed: true,
    maxAge: cookieSeconds,
  });
}
