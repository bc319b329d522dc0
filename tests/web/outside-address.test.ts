import { request as send } from 'node:http';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
});
afterAll(() => stack.close());

/** Buys credits under a Host header of our choice. @returns the pay page's origin. */
async function payOrigin(url: string, host: string): Promise<string> {
  const { port } = new URL(url);
  const body = JSON.stringify({ pack: 'ten', method: 'sandbox' });
  const headers = {
    host,
    'content-type': 'application/json',
    'idempotency-key': `${host}key-1234`,
  };
  const path = '/api/v1/me/topups';
  const text = await new Promise<string>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers };
    send(options, async (answer) => {
      let all = '';
      for await (const part of answer) all += part;
      resolve(all);
    })
      .on('error', reject)
      .end(body);
  });
  return new URL(JSON.parse(text).order.payUrl).origin;
}

test.each([
  'evil.example',
  'evil.example:8420',
  '8.8.8.8',
  '134744072',
  '0x08080808',
  '[2001:4860:4860::8888]',
  'localhost.evil.example',
  '192.168.1.9.evil.example',
  '127.0.0.1@evil.example',
  'evil.example#.local',
])('a name that anybody can write into a request, %s, is in no address', async (host) => {
  expect(await payOrigin(stack.url, host)).toBe(stack.address);
});

test.each([
  'localhost:8420',
  'old-pc',
  'old-pc.local:8420',
  'shop.localhost',
  'box.lan',
  '192.168.1.9:8420',
  '10.0.0.7',
  '127.0.0.1:8420',
  '[::1]:8420',
  '[fd00::7]:8420',
])('a name within, %s, is the address', async (host) => {
  expect(await payOrigin(stack.url, host)).toBe(`http://${host}`);
});

test('PUBLIC_URL is the address whatever a request says', async () => {
  const publicUrl = 'https://photos.example';
  const shop = await startWebStack({ colorizer: createSepiaColorizer(), web: { publicUrl } });
  for (const host of ['192.168.1.9', 'evil.example']) {
    expect(await payOrigin(shop.address, host)).toBe(publicUrl);
  }
  await shop.close();
});
