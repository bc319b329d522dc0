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

/** Id of whoever has not changed anything yet: nothing is theirs, and there is no row of them. */
export const nobodyId = '';
const reads = new Set(['GET', 'HEAD']);

/** Answers who asks; the first call that changes something makes the customer. */
export type Identify = (request: FastifyRequest, reply: FastifyReply) => Promise<Visitor>;

/**
 * @param deps.beforeNew called before a customer is made: the place for a rate limit.
 * @param deps.arrived called after: who was listening as nobody listens as somebody now.
 * @param secure whether to mark the cookie for https only.
 */
export function createIdentify(
  deps: {
    studio: Pick<Studio, 'identify' | 'known'>;
    beforeNew: (request: FastifyRequest) => Promise<void>;
    arrived: (chat: ChatRef) => void;
  },
  secure: (request: FastifyRequest) => boolean,
): Identify {
  return async (request, reply) => {
    if (request.visitor) return request.visitor;
    const own = cookieIdentity(request);
    // Given before there is a customer: what a fresh page sends at once belongs together.
    const identity = own ?? `web_${randomBytes(18).toString('base64url')}`;
    const chat: ChatRef = { channel: 'web', chatId: identity };
    const customer = (own && (await deps.studio.known(chat, own))) || (await newcomer());
    if (!own) setCookie(reply, identity, secure(request));
    request.visitor = { customer, chat };
    return request.visitor;

    async function newcomer(): Promise<Customer> {
      const language = acceptedLanguage(request.headers['accept-language']) ?? 'en';
      if (reads.has(request.method)) return { id: nobodyId, customerCode: '', language };
      await deps.beforeNew(request);
      const made = await deps.studio.identify(chat, identity, language);
      deps.arrived(chat);
      return made;
    }
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
