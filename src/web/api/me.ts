import type { FastifyInstance } from 'fastify';
import type { Language } from '../../studio/ports/basics.js';
import type { CustomerSettings } from '../../studio/ports/studio.js';
import { describe, ref } from '../openapi.js';
import { clearCookie, renewCookie } from '../visitor.js';
import { type ApiContext, enter, profileOf } from './context.js';
import { finishingBody } from './finishing-body.js';
import { partName } from './parts.js';

const code = {
  type: 'object',
  required: ['code'],
  properties: { code: { type: 'string', minLength: 4, maxLength: 64 } },
} as const;

/** The customer: credits, settings, linked chats, leaving. */
export function meRoutes(app: FastifyInstance, api: ApiContext): void {
  app.get(
    '/me',
    {
      schema: describe('You: credits, settings, linked chats', {
        response: { 200: ref.one('Me') },
      }),
    },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      renewCookie(request, reply, api.secure(request));
      return profileOf(api, customer);
    },
  );

  app.patch<{ Body: { language?: Language; settings?: Partial<CustomerSettings> } }>(
    '/me',
    {
      schema: describe('Change language or settings', {
        body: {
          type: 'object',
          properties: {
            language: { type: 'string', enum: ['zh-CN', 'en'] },
            settings: {
              type: 'object',
              additionalProperties: false,
              properties: {
                preset: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
                finishing: finishingBody,
              },
            },
          },
        },
        response: { 200: ref.one('Me') },
      }),
    },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      const { language, settings } = request.body;
      if (language) await api.studio.setLanguage(customer.id, language);
      if (settings) await api.studio.setSettings(customer.id, settings);
      return api.studio.profile(customer.id);
    },
  );

  app.delete(
    '/me',
    {
      schema: describe('Erase all photos and forget this browser', {
        response: { 204: ref.empty },
      }),
    },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      await api.studio.erase(customer.id);
      await api.parts.dropOldest(partName(customer.id, ''), 0);
      clearCookie(reply);
      return reply.code(204).send();
    },
  );

  codeRoutes(app, api);
}

function codeRoutes(app: FastifyInstance, api: ApiContext): void {
  app.post(
    '/me/link-codes',
    {
      schema: describe('A one-time code that links this customer with another chat', {
        response: { 201: ref.one('LinkCode') },
      }),
    },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      const made = await api.studio.createLinkCode(customer.id);
      reply.code(201);
      return { code: made.code, expiresAt: new Date(made.expiresAtMs).toISOString() };
    },
  );

  app.post<{ Body: { code: string } }>(
    '/me/links',
    {
      schema: describe('Join with the chat that made this code', {
        body: code,
        response: { 200: ref.one('Me') },
      }),
    },
    async (request, reply) => {
      await api.rates.guess(request);
      const { customer, chat } = await enter(api, request, reply);
      await api.studio.redeemLinkCode(customer.id, request.body.code.trim());
      // The two are one now, and it may be the other one that stayed.
      const joined = await api.studio.identify(chat, chat.chatId, customer.language);
      return api.studio.profile(joined.id);
    },
  );

  app.post<{ Body: { code: string } }>(
    '/me/redeem',
    {
      schema: describe('Turn a credit code into credits', {
        body: code,
        response: { 200: ref.one('Redeemed') },
      }),
    },
    async (request, reply) => {
      await api.rates.guess(request);
      const { customer } = await enter(api, request, reply);
      return api.studio.redeemCreditCode(customer.id, request.body.code.trim());
    },
  );
}
