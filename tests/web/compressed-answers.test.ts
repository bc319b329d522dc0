import http from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { createHttpClient } from '../support/http-client.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
});
afterAll(() => stack.close());

/** As it comes over the wire: fetch would unpack it. */
function get(path: string, encoding: string, cookie = '') {
  return new Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const headers = { 'accept-encoding': encoding, cookie };
    const request = http.get(stack.url + path, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
  });
}

test.each([
  ['br', brotliDecompressSync],
  ['gzip', gunzipSync],
] as const)('scripts, styles and the API document are sent as %s', async (encoding, unpack) => {
  const page = (await get('/', 'identity')).body.toString();
  const assets = [...page.matchAll(/"(\/assets\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path!);
  expect(assets.length).toBeGreaterThan(1);
  for (const path of [...assets, '/api/docs/json']) {
    const plain = await get(path, 'identity');
    const packed = await get(path, encoding);
    expect({ path, encoding: packed.headers['content-encoding'] }).toEqual({ path, encoding });
    expect(packed.headers.vary).toContain('accept-encoding');
    expect(unpack(packed.body).equals(plain.body)).toBe(true);
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
  }
});

test('the first visit of the page stays below 120 kB', async () => {
  const { body } = await get('/', 'br');
  let bytes = body.length;
  const page = (await get('/', 'identity')).body.toString();
  for (const [, path] of page.matchAll(/"(\/assets\/[^"]+)"/g))
    bytes += (await get(path!, 'br')).body.length;
  expect(bytes).toBeLessThan(120_000);
});

test('live events are not held back by packing', async () => {
  const client = createHttpClient(stack.url);
  await client.json('GET', '/me');
  const line = await new Promise<{ encoding?: string; text: string }>((resolve, reject) => {
    const headers = { 'accept-encoding': 'br, gzip', cookie: client.cookie() };
    const request = http.get(`${stack.url}/api/v1/me/events`, { headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
        if (!text.includes('event: me')) return;
        resolve({ encoding: response.headers['content-encoding'], text });
        request.destroy();
      });
    });
    request.on('error', reject);
  });
  expect(line.encoding).toBeUndefined();
  expect(line.text).toContain('retry: 2000');
});
