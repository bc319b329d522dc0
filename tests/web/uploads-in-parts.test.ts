import { randomBytes } from 'node:crypto';
import { readdirSync, utimesSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import sharp from 'sharp';
import { limits } from '../../src/studio/limits.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
let client: HttpClient;
let photo: Buffer;

beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
  photo = await noisyPng(700, 500);
});
afterAll(() => stack.close());
beforeEach(async () => {
  client = createHttpClient(stack.url);
  await client.json('GET', '/me');
});

/** Noise does not compress: the file is about as large as its pixels. */
function noisyPng(width: number, height: number): Promise<Buffer> {
  return sharp(randomBytes(width * height), { raw: { width, height, channels: 1 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

const newId = () => randomBytes(16).toString('hex');
const parts = () => {
  try {
    return readdirSync(stack.partDir);
  } catch {
    return [];
  }
};

async function sendPart(id: string, whole: Buffer, from: number, to = whole.length, by = client) {
  const response = await by.send('PATCH', `/api/v1/uploads/${id}?bytes=${whole.length}`, {
    headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(from) },
    body: Uint8Array.from(whole.subarray(from, to)),
  });
  const text = await response.text();
  const offset = response.headers.get('upload-offset');
  return { status: response.status, offset, body: text ? JSON.parse(text) : undefined };
}

async function heldBytes(id: string, by = client): Promise<number> {
  const response = await by.send('HEAD', `/api/v1/uploads/${id}`);
  expect(response.status).toBe(204);
  return Number(response.headers.get('upload-offset'));
}

/** The connection is cut in the middle of a part. */
async function cutPart(id: string, whole: Buffer, from: number, after: number): Promise<void> {
  const request = http.request(`${stack.url}/api/v1/uploads/${id}?bytes=${whole.length}`, {
    method: 'PATCH',
    headers: {
      cookie: client.cookie(),
      'content-type': 'application/octet-stream',
      'content-length': whole.length - from,
      'upload-offset': from,
    },
  });
  request.on('error', () => {});
  request.write(whole.subarray(from, after));
  await until(async () => (await heldBytes(id)) === after);
  request.destroy();
}

test('a photo in three parts is taken when it is whole, and nothing stays behind', async () => {
  const id = newId();
  expect(await heldBytes(id)).toBe(0);
  expect(await sendPart(id, photo, 0, 100_000)).toMatchObject({ status: 204, offset: '100000' });
  expect(await heldBytes(id)).toBe(100_000);
  expect(await sendPart(id, photo, 100_000, 250_000)).toMatchObject({ status: 204 });
  const last = await sendPart(id, photo, 250_000);
  expect(last).toMatchObject({ status: 202, body: { id: expect.any(String) } });
  expect(parts()).toEqual([]);
  // The same bytes in one piece, as a form: the same photo.
  expect(await client.upload(photo)).toMatchObject({ httpStatus: 202, id: last.body.id });
});

test('what arrived before a cut is kept, and the rest is enough', async () => {
  const id = newId();
  await cutPart(id, photo, 0, 200_000);
  expect(await heldBytes(id)).toBe(200_000);
  const { status, body } = await sendPart(id, photo, 200_000);
  expect(status).toBe(202);
  const original = await client.send('GET', `/api/v1/photos/${body.id}/original`);
  expect(Buffer.from(await original.arrayBuffer()).equals(photo)).toBe(true);
});

test('an answer that was lost is given again', async () => {
  const id = newId();
  const { body } = await sendPart(id, photo, 0);
  expect(await heldBytes(id)).toBe(photo.length);
  expect(await sendPart(id, photo, photo.length)).toMatchObject({ status: 202, body });
});

test('a part that begins elsewhere is refused and told where', async () => {
  const id = newId();
  await sendPart(id, photo, 0, 5_000);
  const wrong = await sendPart(id, photo, 9_000, 12_000);
  expect(wrong).toMatchObject({ status: 409, offset: '5000', body: { code: 'OFFSET_MISMATCH' } });
});

test("another customer's upload cannot be seen, continued or given up", async () => {
  const id = newId();
  await sendPart(id, photo, 0, 5_000);
  const other = createHttpClient(stack.url);
  await other.json('GET', '/me');
  expect(await heldBytes(id, other)).toBe(0);
  expect(await sendPart(id, photo, 5_000, 9_000, other)).toMatchObject({ status: 409 });
  await other.send('DELETE', `/api/v1/uploads/${id}`);
  expect(await heldBytes(id)).toBe(5_000);
  await client.send('DELETE', `/api/v1/uploads/${id}`);
  expect(await heldBytes(id)).toBe(0);
});

test('too large is said with the first part; no picture, when it is whole', async () => {
  const id = newId();
  const large = await client.send('PATCH', `/api/v1/uploads/${id}?bytes=30000000`, {
    headers: { 'content-type': 'application/octet-stream', 'upload-offset': '0' },
    body: 'x',
  });
  expect(large.status).toBe(413);
  const page = Buffer.from('<!doctype html><title>no photo</title>');
  const { status } = await sendPart(newId(), page, 0);
  expect([415, 422]).toContain(status);
  for (const name of ['../../etc/passwd', 'short', `${newId()}0`]) {
    const answer = await client.send('GET', `/api/v1/uploads/${encodeURIComponent(name)}`);
    expect(answer.status).toBe(400);
  }
});

test('of many begun uploads the oldest go; erasing takes them all', async () => {
  const ids = Array.from({ length: limits.web.partsPerCustomer + 3 }, newId);
  for (const [index, id] of ids.entries()) {
    await sendPart(id, photo, 0, 1_000);
    const file = parts().find((name) => name.includes(id));
    utimesSync(path.join(stack.partDir, file!), index, index);
  }
  const mine = () => parts().filter((name) => ids.some((id) => name.includes(id)));
  expect(mine()).toHaveLength(limits.web.partsPerCustomer);
  expect(await heldBytes(ids[0]!)).toBe(0);
  expect(await heldBytes(ids.at(-1)!)).toBe(1_000);
  await client.json('DELETE', '/me');
  expect(mine()).toEqual([]);
});
