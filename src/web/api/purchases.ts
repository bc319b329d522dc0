import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NotPossibleNow } from '../../studio/errors/studio.js';
import { limits } from '../../studio/limits.js';
import { methodNames, type PaymentMethod } from '../../studio/ports/gateway.js';
import type { OrderView, UnlockResult } from '../../studio/ports/studio.js';
import { NotReadyYet } from '../errors.js';
import { offered } from '../offer.js';
import { describe, ref } from '../openapi.js';
import { orderJson, priceJson, receiptJson, type ViewContext } from '../views.js';
import { type ApiContext, enter, type IdParams, idempotencyKey } from './context.js';

const method = { type: 'string', enum: methodNames };
const key = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      description: '8..128 characters of your own; the same key again changes nothing.',
    },
  },
} as const;

/** HD, credits, orders. */
export function purchaseRoutes(app: FastifyInstance, api: ApiContext): void {
  unlockRoutes(app, api);
  orderRoutes(app, api);

  app.get(
    '/prices',
    {
      schema: describe('Prices, credit packs and ways to pay', {
        response: { 200: ref.one('Prices') },
      }),
    },
    async (request, reply) => {
      await enter(api, request, reply);
      return priceJson(api.studio.prices(), api.studio.methods('web'));
    },
  );

  app.post<{ Body: { pack: string; method: PaymentMethod } }>(
    '/me/topups',
    {
      schema: describe('Buy a pack of credits', {
        headers: key,
        body: {
          type: 'object',
          required: ['pack', 'method'],
          properties: { pack: { type: 'string', minLength: 1, maxLength: 64 }, method },
        },
        response: { 201: ref.one('PaymentNeeded') },
      }),
    },
    async (request, reply) => {
      const { customer, chat, view } = await enter(api, request, reply);
      const order = await api.studio.topUp(customer.id, request.body.pack, {
        key: optionalKey(request, customer.id),
        method: request.body.method,
        chat,
      });
      reply.code(201);
      return { order: orderJson(await offered(api.studio, order), view) };
    },
  );
}

/** Buying twice by pressing twice is possible for a pack; a script that minds sends the header. */
function optionalKey(request: FastifyRequest, customerId: string): string {
  return request.headers['idempotency-key'] === undefined
    ? `web:${customerId}:${randomUUID()}`
    : idempotencyKey(request, customerId);
}

const refusals = {
  402: 'Method `credits`, and there are not enough',
  409: 'Not ready, or no longer kept',
  422: 'This Idempotency-Key was used for another wish',
};

function unlockRoutes(app: FastifyInstance, api: ApiContext): void {
  const response = { 200: ref.one('Unlocked'), 201: ref.one('PaymentNeeded') };
  app.post<IdParams & { Body: { method?: PaymentMethod } | undefined }>(
    '/photos/:id/unlock',
    {
      schema: describe('HD: unlocked with credits, else an order to pay', {
        headers: key,
        needs: ['idempotency-key'],
        body: { type: ['object', 'null'], properties: { method } },
        response,
        refusals,
      }),
    },
    async (request, reply) => {
      const { customer, chat, view } = await enter(api, request, reply);
      const result = await api.studio.unlock(customer.id, [request.params.id], {
        key: idempotencyKey(request, customer.id),
        method: request.body?.method,
        chat,
      });
      reply.code(result.status === 'unlocked' ? 200 : 201);
      return unlockJson(api, result, view);
    },
  );

  app.post<{ Body: { photoIds: string[]; method?: PaymentMethod } }>(
    '/unlocks',
    {
      schema: describe('HD for several photos with one payment', {
        headers: key,
        needs: ['idempotency-key'],
        body: {
          type: 'object',
          required: ['photoIds'],
          properties: {
            photoIds: {
              type: 'array',
              minItems: 1,
              maxItems: limits.studio.photosPerOrder,
              uniqueItems: true,
              items: { type: 'string', maxLength: 64 },
            },
            method,
          },
        },
        response,
        refusals,
      }),
    },
    async (request, reply) => {
      const { customer, chat, view } = await enter(api, request, reply);
      const result = await api.studio.unlock(customer.id, request.body.photoIds, {
        key: idempotencyKey(request, customer.id),
        method: request.body.method,
        chat,
      });
      reply.code(result.status === 'unlocked' ? 200 : 201);
      return unlockJson(api, result, view);
    },
  );
}

async function unlockJson(api: ApiContext, result: UnlockResult, view: ViewContext) {
  if (result.status === 'unlocked') return { status: 'unlocked' };
  return { order: orderJson(await offered(api.studio, result.order), view) };
}

function orderRoutes(app: FastifyInstance, api: ApiContext): void {
  app.get(
    '/orders',
    {
      schema: describe('Your orders, newest first', {
        response: { 200: { type: 'object', properties: { orders: ref.list('Order') } } },
      }),
    },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const orders = await api.studio.orders(customer.id, limits.web.ordersPerPage);
      return { orders: orders.map((order) => orderJson(order, view)) };
    },
  );

  const act = (
    verb: 'get' | 'post',
    path: string,
    title: string,
    run: (customerId: string, orderId: string) => Promise<OrderView>,
  ) =>
    app[verb]<IdParams>(
      path,
      { schema: describe(title, { response: { 200: ref.one('Order') } }) },
      async (request, reply) => {
        const { customer, view } = await enter(api, request, reply);
        return orderJson(await run(customer.id, request.params.id), view);
      },
    );
  act('get', '/orders/:id', 'One order', (customerId, id) => api.studio.order(customerId, id));
  act('post', '/orders/:id/cancel', 'Give up an unpaid order', (customerId, id) =>
    api.studio.cancelOrder(customerId, id),
  );
  act('post', '/orders/:id/refresh', 'Ask the gateway now whether it was paid', async (me, id) => {
    await api.studio.order(me, id);
    await api.studio.refreshOrder(id);
    return api.studio.order(me, id);
  });

  app.get<IdParams>(
    '/orders/:id/receipt',
    { schema: describe('Receipt of a paid order', { response: { 200: ref.one('Receipt') } }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      return receiptJson(await api.studio.receipt(customer.id, request.params.id), view);
    },
  );

  app.get<IdParams>(
    '/orders/:id/qr.svg',
    { schema: describe('QR code of an order that can be paid', { produces: ['image/svg+xml'] }) },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      return sendQr(api, await api.studio.order(customer.id, request.params.id), reply);
    },
  );
}

/** @throws {NotReadyYet} nothing to scan yet. {NotPossibleNow} nothing any more. */
export async function sendQr(
  api: Pick<ApiContext, 'qrSvg'>,
  order: OrderView,
  reply: FastifyReply,
) {
  if (!order.qr) {
    throw order.state === 'created'
      ? new NotReadyYet('qr')
      : new NotPossibleNow('pay', order.state);
  }
  reply.header('content-type', 'image/svg+xml').header('cache-control', 'private, no-store');
  return reply.send(await api.qrSvg(order.qr));
}
