import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NotFound, NotPossibleNow } from '../studio/errors/studio.js';
import type { OrderView } from '../studio/ports/studio.js';
import { type ApiContext, viewOf } from './api/context.js';
import { sendQr } from './api/purchases.js';
import type { SandboxTill } from './dependencies.js';
import { NotReadyYet } from './errors.js';
import { offered, settled } from './offer.js';
import { describe, ref } from './openapi.js';
import { payJson } from './views.js';

type Pay = { Params: { token: string } };
const payWaitMs = 3_000;
const payable = new Set(['created', 'pending']);

/** What the pay page reads, under /api/v1/pay/<token>: the token is the bearer, no cookie. */
export function payApiRoutes(app: FastifyInstance, api: ApiContext): void {
  app.get<Pay>(
    '/pay/:token',
    {
      schema: describe('An order, by the token of its pay page', {
        response: { 200: ref.one('OrderToPay') },
      }),
    },
    async (request) => show(api, request, await api.studio.orderByPayToken(request.params.token)),
  );
  app.get<Pay>(
    '/pay/:token/qr.svg',
    { schema: describe('Its QR code', { produces: ['image/svg+xml'] }) },
    async (request, reply) =>
      sendQr(api, await api.studio.orderByPayToken(request.params.token), reply),
  );
  app.post<Pay>(
    '/pay/:token/refresh',
    {
      schema: describe('Ask the gateway now whether it was paid', {
        response: { 200: ref.one('OrderToPay') },
      }),
    },
    async (request) => {
      const order = await api.studio.orderByPayToken(request.params.token);
      await api.studio.refreshOrder(order.id);
      return show(api, request, await api.studio.orderByPayToken(request.params.token));
    },
  );
}

/** `POST /pay/<token>` pays a sandbox order; its GET is the page itself. */
export function sandboxPayRoutes(app: FastifyInstance, api: ApiContext): void {
  // Paying needs no words: a form's body, or curl's empty one, is read and dropped.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, _body, done) => done(null));
  app.post<Pay>('/pay/:token', { schema: { hide: true } }, async (request, reply) => {
    const order = await api.studio.orderByPayToken(request.params.token);
    const paid = await payInSandbox(api, order);
    return answer(request, reply, `/pay/${request.params.token}`, show(api, request, paid));
  });

  // What the sandbox's QR code opens: the till of a payment app that does not exist.
  app.post<{ Params: { outTradeNo: string } }>(
    '/sandbox/:outTradeNo',
    { schema: { hide: true } },
    async (request, reply) => {
      const { outTradeNo } = request.params;
      await payTrade(api, till(api), outTradeNo);
      return answer(request, reply, `/sandbox/${outTradeNo}`, { status: 'paid' });
    },
  );
  app.get<{ Params: { outTradeNo: string } }>(
    '/api/v1/sandbox/:outTradeNo',
    { schema: { hide: true } },
    async (request) => {
      const trade = await till(api).look(request.params.outTradeNo);
      if (!trade) throw new NotFound('order');
      return trade;
    },
  );
}

async function payInSandbox(api: ApiContext, first: OrderView): Promise<OrderView> {
  if (first.method !== 'sandbox') throw new NotPossibleNow('sandbox', 'otherMethod');
  const order = await offered(api.studio, first);
  if (order.state === 'created') throw new NotReadyYet('pay');
  if (!payable.has(order.state)) {
    // Paid before: say so again. Closed: too late.
    if (order.paidAtMs !== undefined) return order;
    throw new NotPossibleNow('pay', order.state);
  }
  const outTradeNo = order.qr && till(api).tradeOf(order.qr);
  // Its time is over, though nobody has closed it yet.
  if (!outTradeNo) throw new NotPossibleNow('pay', 'closing');
  await payTrade(api, till(api), outTradeNo);
  return settled(api.studio, order, (now) => !payable.has(now.state), payWaitMs);
}

/** The gateway notes the money and tells the studio the way a provider does. */
async function payTrade(api: ApiContext, sandbox: SandboxTill, outTradeNo: string): Promise<void> {
  const trade = await sandbox.look(outTradeNo);
  if (!trade) throw new NotFound('order');
  if (trade.state === 'closed') throw new NotPossibleNow('pay', 'closed');
  const notification = await sandbox.pay(outTradeNo);
  await api.studio.receiveNotification('sandbox', notification);
}

function till(api: ApiContext): SandboxTill {
  if (!api.sandbox) throw new NotPossibleNow('sandbox', 'sandboxOff');
  return api.sandbox;
}

function show(api: ApiContext, request: FastifyRequest, order: OrderView) {
  return payJson(order, viewOf(api, request));
}

/** A form goes back to its page; a script gets JSON. */
function answer(request: FastifyRequest, reply: FastifyReply, page: string, body: unknown) {
  const wantsPage = request.headers.accept?.includes('text/html') ?? false;
  return wantsPage ? reply.redirect(page, 303) : reply.send(body);
}
