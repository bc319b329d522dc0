import net from 'node:net';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
});
afterAll(() => stack.close());

/** Bytes to the server as they are. */
async function raw(bytes: string) {
  const socket = net.connect(Number(new URL(stack.url).port), '127.0.0.1');
  socket.end(bytes);
  let text = '';
  for await (const part of socket) text += part;
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) };
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;

test.each([
  [
    'a part of the address too long',
    get(`/api/v1/photos/${'x'.repeat(300)}`),
    414,
    'ADDRESS_TOO_LONG',
  ],
  ['too many headers', get('/', `cookie: ${'c'.repeat(40_000)}\r\n`), 431, 'HEADERS_TOO_LARGE'],
  ['no request at all', 'hello\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['a header that is none', get('/', 'not a header\r\n'), 400, 'INVALID_REQUEST'],
  ['an address that cannot be read', get('/api/v1/photos/%zz'), 400, 'INVALID_REQUEST'],
])('%s is a problem like all others', async (_what, bytes, status, code) => {
  const answer = await raw(bytes);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ status, code, type: expect.stringMatching(/^urn:huancai:/) });
  expect(answer.body.detail).toMatch(/^[A-Z].+\.$/);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
});
