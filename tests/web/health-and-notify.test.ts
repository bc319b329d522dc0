import { DatabaseAway } from '../../src/studio/errors/index.js';
import { createHttpClient } from '../support/http-client.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack.close());

test('alive and ready', async () => {
  expect(await (await fetch(`${stack.url}/healthz`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${stack.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ status: 'ready', checks: { queue: { ok: true } } });
});

test('what is away or hangs is named, without its insides', async () => {
  const shop = await startWebStack({
    health: [
      { name: 'database', check: () => Promise.reject(new DatabaseAway('postgres://secret@host')) },
      { name: 'inference', check: () => new Promise(() => {}) },
      { name: 'disk', check: async () => '12 MB free' },
    ],
  });
  const response = await fetch(`${shop.url}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    status: 'notReady',
    checks: {
      database: { ok: false, detail: 'DATABASE_AWAY' },
      inference: { ok: false, detail: 'no answer' },
      disk: { ok: true, detail: '12 MB free' },
    },
  });
  expect((await fetch(`${shop.url}/healthz`)).status).toBe(200);
  await shop.close();
}, 30_000);

test('a notification arrives with its raw bytes and is answered in the words of its gateway', async () => {
  const client = createHttpClient(stack.url);
  const { order } = await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  const outTradeNo = stack.sandbox.tradeOf(order.qr) ?? '';
  const { headers, body } = await stack.sandbox.pay(outTradeNo);
  const notify = (bytes: Uint8Array, more: Record<string, string> = {}) =>
    fetch(`${stack.url}/notify/sandbox`, {
      method: 'POST',
      body: Buffer.from(bytes),
      headers: { ...(headers as Record<string, string>), ...more },
    });
  // Whatever type the provider claims, the bytes are not touched.
  const accepted = await notify(body, { 'content-type': 'application/x-www-form-urlencoded' });
  expect([accepted.status, await accepted.text()]).toEqual([200, 'success']);
  await until(async () => (await client.json('GET', '/me')).credits === 1);
  expect((await notify(body, { 'content-type': 'application/json' })).status).toBe(200);

  const forged = await notify(Buffer.concat([body, Buffer.from(' ')]));
  expect([forged.status, await forged.text()]).toEqual([400, 'failure']);
  expect((await notify(new Uint8Array())).status).toBe(400);
  expect((await notify(new Uint8Array(400_000))).status).toBe(413);
  expect((await fetch(`${stack.url}/notify/alipay`, { method: 'POST' })).status).toBe(404);
  expect((await client.json('GET', '/me')).credits).toBe(1);
}, 30_000);

test('paying what is not ours to pay', async () => {
  const nobody = await fetch(`${stack.url}/pay/nosuchtoken`, { method: 'POST' });
  expect(nobody.status).toBe(404);
  const till = await fetch(`${stack.url}/api/v1/sandbox/ch_nothing_here`);
  expect(till.status).toBe(404);
  const client = createHttpClient(stack.url);
  const { order } = await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  await client.json('POST', `/orders/${order.id}/cancel`);
  await until(async () => {
    const { status } = await client.json('GET', `/orders/${order.id}`);
    return status === 'closed';
  });
  const late = await fetch(order.payUrl, { method: 'POST' });
  expect(late.status).toBe(409);
  expect(await late.json()).toMatchObject({ code: 'NOT_POSSIBLE_NOW' });
  const scanned = await fetch(order.qr, { method: 'POST' });
  expect(scanned.status).toBe(409);
  const nothing = await fetch(`${stack.url}/sandbox/ch_nothing_here`, { method: 'POST' });
  expect(nothing.status).toBe(404);
}, 30_000);

test('an order whose time is over says so, though nobody has closed it yet', async () => {
  const client = createHttpClient(stack.url);
  const { order } = await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  await stack.store.transaction(({ orders }) => orders.update(order.id, { expiresMs: 1 }));
  const late = await fetch(order.payUrl, { method: 'POST' });
  expect(late.status).toBe(409);
  expect(await late.json()).toMatchObject({ detail: expect.stringMatching(/it has expired/) });
});

test('a form that pays goes back to its page', async () => {
  const client = createHttpClient(stack.url);
  const { order } = await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  const response = await fetch(order.payUrl, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  });
  expect(response.status).toBe(303);
  expect(response.headers.get('location')).toBe(new URL(order.payUrl).pathname);
});

test('the API describes itself', async () => {
  const document = (await (await fetch(`${stack.url}/api/docs/json`)).json()) as {
    paths: Record<string, Record<string, { summary?: string }>>;
  };
  for (const route of [
    '/api/v1/photos',
    '/api/v1/photos/{id}',
    '/api/v1/photos/{id}/events',
    '/api/v1/photos/{id}/master',
    '/api/v1/photos/{id}/variants',
    '/api/v1/photos/{id}/cancel',
    '/api/v1/photos/{id}/unlock',
    '/api/v1/orders/{id}',
    '/api/v1/me',
    '/api/v1/me/topups',
  ]) {
    expect(Object.keys(document.paths)).toContain(route);
  }
  const unexplained = Object.entries(document.paths).flatMap(([route, verbs]) =>
    Object.entries(verbs)
      .filter(([, operation]) => !operation.summary)
      .map(([verb]) => `${verb} ${route}`),
  );
  expect(unexplained).toEqual([]);
});
