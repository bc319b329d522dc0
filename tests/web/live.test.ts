import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/cli/package-root.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const photo = readFileSync(path.join(packageRoot, 'assets/demo/photographer.jpg'));
let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: events are checked field by field
type Event = { event: string; id: string; data: any };

/** What a browser's EventSource would hear. */
async function listen(client: HttpClient, route: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await client.send('GET', `/api/v1${route}`, { signal: stop.signal, headers });
  const events: Event[] = [];
  const read = async () => {
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const data = field('data');
        if (data) {
          events.push({
            event: field('event') ?? '',
            id: field('id') ?? '',
            data: JSON.parse(data),
          });
        }
      }
    }
  };
  const reading = read().catch(() => {});
  return {
    events,
    response,
    states: () => events.filter((e) => e.event === 'photo').map((e) => e.data.status),
    stop: async () => {
      stop.abort();
      await reading;
    },
  };
}

test("one photo's stream goes from its place in the queue to ready", async () => {
  const client = createHttpClient(stack.url);
  const { id } = await client.upload(photo);
  const heard = await listen(client, `/photos/${id}/events`);
  expect(heard.response.headers.get('content-type')).toMatch('text/event-stream');
  expect(heard.response.headers.get('cache-control')).toBe('no-store');
  await until(() => heard.states().at(-1) === 'ready', 60_000);
  expect(heard.events.every((event) => event.data.id === id)).toBe(true);
  const ids = heard.events.map((event) => Number(event.id));
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  await heard.stop();
}, 90_000);

test('who comes back is told everything as it is now', async () => {
  const client = createHttpClient(stack.url);
  const first = await listen(client, '/me/events');
  const { id } = await client.upload(photo);
  await until(() => first.events.some((event) => event.data.id === id), 10_000);
  const last = first.events.at(-1)?.id ?? '';
  await first.stop();
  await until(async () => (await client.json('GET', `/photos/${id}`)).status === 'ready', 60_000);
  const again = await listen(client, '/me/events', { 'last-event-id': last });
  await until(() => again.states().at(-1) === 'ready', 5_000);
  expect(again.events.some((event) => event.event === 'me' && event.data.credits === 0)).toBe(true);
  await again.stop();
}, 90_000);

test('an order that is paid elsewhere is heard here, in the language asked for', async () => {
  const client = createHttpClient(stack.url);
  const heard = await listen(client, '/me/events?lang=zh-CN');
  const { order } = await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  await fetch(order.payUrl, { method: 'POST' });
  const isPaid = (event: Event) =>
    event.event === 'order' && ['paid', 'fulfilled'].includes(event.data.status);
  await until(() => heard.events.some(isPaid), 15_000);
  await until(() => heard.events.some((e) => e.event === 'me' && e.data.credits === 1), 15_000);
  await heard.stop();
}, 60_000);

test('who comes back from the payment app is told how the order stands', async () => {
  const client = createHttpClient(stack.url);
  const wish = { pack: 'one', method: 'sandbox' };
  const { order } = await client.json('POST', '/me/topups', wish);
  await fetch(order.payUrl, { method: 'POST' });
  const isPaid = async () => (await client.json('GET', `/orders/${order.id}`)).status !== 'pending';
  await until(isPaid, 15_000);
  const heard = await listen(client, '/me/events');
  const told = (event: Event) => event.event === 'order' && event.data.status === 'fulfilled';
  await until(() => heard.events.some(told), 15_000);
  await heard.stop();
}, 60_000);

test('an order that another process settles is heard as well', async () => {
  const client = createHttpClient(stack.url);
  const { order } = await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  const heard = await listen(client, '/me/events');
  const told = (status: string) => (event: Event) => event.data.status === status;
  await until(() => heard.events.some(told('pending')), 15_000);
  // No event of this process.
  await stack.store.transaction(({ orders }) => orders.update(order.id, { state: 'closed' }));
  await until(() => heard.events.some(told('closed')), 15_000);
  await heard.stop();
}, 60_000);

test("another's stream is not there, and hears nothing of others", async () => {
  const [one, two] = [createHttpClient(stack.url), createHttpClient(stack.url)];
  const { id } = await one.upload(photo);
  expect((await two.send('GET', `/api/v1/photos/${id}/events`)).status).toBe(404);
  const heard = await listen(two, '/me/events');
  await until(async () => (await one.json('GET', `/photos/${id}`)).status === 'ready', 60_000);
  expect(heard.states()).toEqual([]);
  await heard.stop();
}, 90_000);

test('a closing server ends its streams', async () => {
  const shop = await startWebStack();
  const client = createHttpClient(shop.url);
  const heard = await listen(client, '/me/events');
  await until(() => heard.events.length > 0);
  const startedMs = Date.now();
  await shop.close();
  expect(Date.now() - startedMs).toBeLessThan(15_000);
  await heard.stop();
}, 60_000);
