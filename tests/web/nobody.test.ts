import { createHttpClient } from '../support/http-client.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
});
afterAll(() => stack.close());

const customers = async () => (await stack.store.read.reports.customersSince(0)) as number;

test('whoever only reads is nobody: an answer, a cookie, no row', async () => {
  const before = await customers();
  const { prices } = stack.context.config;
  for (const path of ['/me', '/photos', '/orders', '/prices']) {
    const answer = await fetch(`${stack.url}/api/v1${path}`);
    expect([path, answer.status]).toEqual([path, 200]);
    expect(answer.headers.getSetCookie()).toHaveLength(1);
  }
  for (const path of [
    '/photos/ph_x',
    '/photos/ph_x/preview',
    '/orders/or_x',
    '/photos/ph_x/events',
  ])
    expect([path, (await fetch(`${stack.url}/api/v1${path}`)).status]).toEqual([path, 404]);
  const me = await createHttpClient(stack.url).json('GET', '/me');
  expect(me).toMatchObject({ credits: prices.welcomeCredits, identities: ['web'] });
  expect(me).not.toHaveProperty('id');
  expect(me).not.toHaveProperty('customerCode');
  expect(await customers()).toBe(before);
});

test('the first change makes one customer, however many come at once', async () => {
  const before = await customers();
  const client = createHttpClient(stack.url);
  const { credits } = await client.json('GET', '/me');
  await Promise.all(Array.from({ length: 5 }, () => client.json('POST', '/me/link-codes')));
  const me = await client.json('GET', '/me');
  expect(me).toMatchObject({ credits, customerCode: expect.stringMatching(/^\w{8}$/) });
  expect(await customers()).toBe(before + 1);
});

test('a page that listened as nobody goes on listening as somebody', async () => {
  const client = createHttpClient(stack.url);
  await client.json('GET', '/me');
  const stream = await client.send('GET', '/api/v1/me/events');
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  const hear = async (what: RegExp) => {
    while (!what.test(heard)) heard += (await reader.read()).value;
  };
  await hear(/event: me/);
  expect(heard).not.toMatch(/customerCode/);
  await client.json('POST', '/me/link-codes');
  await hear(/"customerCode":"\w{8}"/);
  await client.json('POST', '/me/topups', { pack: 'one', method: 'sandbox' });
  await hear(/event: order/);
  await reader.cancel();
});
