import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createHttpStore } from '../../src/storage/remote/http-store.js';
import { createRemoteBlobs } from '../../src/storage/remote/remote-blobs.js';
import { BlobMissing, BlobsAway } from '../../src/studio/errors/index.js';
import { blobsContract } from '../contracts/blobs.js';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.js';
import { wallClock } from '../support/quiet.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const token = 'a worker token of thirty-two letters';
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-fleet-'));
const uploadDir = path.join(dir, 'fleet');
let stack: WebStack;
let proxy: FaultyProxy;
let caches = 0;

beforeAll(async () => {
  const web = { fleet: { token, uploadDir } };
  stack = await startWebStack({ colorizer: createSepiaColorizer(), web });
  proxy = await startFaultyProxy(Number(new URL(stack.address).port));
});
afterAll(async () => {
  await proxy?.close();
  await stack?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A worker's view, through a cable that may break. */
function open(changes: { token?: string; studioUrl?: string } = {}) {
  const remote = createHttpStore({ studioUrl: proxy.url, token, stallMs: 1_500, ...changes });
  caches += 1;
  const folder = path.join(dir, `cache${caches}`);
  const patience = { stallMs: 1_500, retryDelayMs: 5, tries: 4 };
  return createRemoteBlobs(
    { remote, clock: wallClock },
    { folder, maxBytes: 1e9, maxAgeMs: 3_600_000, ...patience },
  );
}

blobsContract(async () => ({
  open: async () => open(),
  keeper: false,
  stop: async () => {},
}));

const file = (bytes: Buffer) => {
  const name = path.join(dir, randomBytes(6).toString('hex'));
  writeFileSync(name, bytes);
  return name;
};
const download = async (key: string) => readFileSync(await open().localFile(key));
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test.each([
  ['cut', { cutAfterBytes: 700_000, direction: 'up' }],
  ['stalled', { stallAfterBytes: 700_000, direction: 'up' }],
  ['cut before the answer', { cutAfterBytes: 0, direction: 'down' }],
  ['refused', { refuse: true }],
] as const)('an upload that is %s comes through, twice', async (_what, fault) => {
  const bytes = randomBytes(2_000_000);
  const blobs = open();
  proxy.plan(fault, fault, fault);
  const { key } = await blobs.putFile('master', file(bytes));
  proxy.plan();
  expect((await download(key)).equals(bytes)).toBe(true);
  expect(readdirSync(uploadDir)).toEqual([]);
});

test('an upload goes on where it was cut: many cuts, one body', async () => {
  const bytes = randomBytes(6_000_000);
  const blobs = open();
  // More cuts than tries; a fresh start each time would never get to the end.
  proxy.plan(
    ...Array.from({ length: 12 }, () => ({ cutAfterBytes: 1e6, direction: 'up' as const })),
  );
  const { key } = await blobs.putFile('master', file(bytes));
  proxy.plan();
  expect((await download(key)).equals(bytes)).toBe(true);
});

test('a download goes on where it was cut', async () => {
  const bytes = randomBytes(6_000_000);
  const { key } = await open().putFile('master', file(bytes));
  proxy.plan(
    ...Array.from({ length: 5 }, () => ({ cutAfterBytes: 1e6, direction: 'down' as const })),
  );
  expect((await download(key)).equals(bytes)).toBe(true);
  proxy.plan({ stallAfterBytes: 1e5, direction: 'down' });
  expect((await download(key)).equals(bytes)).toBe(true);
});

describe('the routes', () => {
  const call = (method: string, where: string, init: RequestInit = {}) =>
    fetch(`${stack.address}/fleet/v1${where}`, {
      method,
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  const id = () => randomBytes(16).toString('hex');
  const patch = (where: string, body: Buffer, offset = 0) =>
    call('PATCH', where, {
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(offset) },
    });
  const query = (bytes: Buffer, changes: object = {}) =>
    `?${new URLSearchParams({ kind: 'preview', sha256: sha256(bytes), bytes: String(bytes.length), ...changes })}`;

  test.each([
    undefined,
    'Bearer',
    'Bearer wrong',
    `Bearer ${token}x`,
    `Basic ${token}`,
    `Bearer ${token.slice(0, -1)}`,
  ])('%j is no worker', async (authorization) => {
    const headers: Record<string, string> = authorization ? { authorization } : {};
    for (const [method, where] of [
      ['GET', `/blobs/original/${'a'.repeat(64)}`],
      ['GET', `/uploads/${id()}`],
      ['PATCH', `/uploads/${id()}`],
    ] as const) {
      const answer = await fetch(`${stack.address}/fleet/v1${where}`, { method, headers });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'WORKER_REFUSED' });
    }
  });

  test('wrong bytes are refused and thrown away', async () => {
    const bytes = randomBytes(1000);
    const name = id();
    const answer = await patch(`/uploads/${name}${query(bytes)}`, randomBytes(1000));
    expect(answer.status).toBe(422);
    expect((await call('GET', `/uploads/${name}`)).headers.get('upload-offset')).toBe('0');
    expect((await call('HEAD', `/blobs/preview/${sha256(bytes)}`)).status).toBe(410);
  });

  test('a part is kept, a part from elsewhere is not', async () => {
    const bytes = randomBytes(1000);
    const where = `/uploads/${id()}${query(bytes)}`;
    const first = await patch(where, bytes.subarray(0, 400));
    expect([first.status, first.headers.get('upload-offset')]).toEqual([409, '400']);
    expect((await patch(where, bytes.subarray(600), 600)).status).toBe(409);
    expect((await patch(where, bytes.subarray(400), 400)).status).toBe(201);
    expect((await call('GET', `/blobs/preview/${sha256(bytes)}`)).status).toBe(200);
  });

  test('more bytes than announced are not kept', async () => {
    const bytes = randomBytes(500);
    const where = `/uploads/${id()}${query(bytes)}`;
    expect((await patch(where, Buffer.concat([bytes, randomBytes(9_000)]))).status).toBe(201);
    const back = await call('GET', `/blobs/preview/${sha256(bytes)}`);
    expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test.each([
    ['kind', { kind: '../../etc' }],
    ['kind', { kind: 'keys' }],
    ['sha256', { sha256: '../../../../etc/passwd' }],
    ['sha256', { sha256: 'A'.repeat(64) }],
    ['bytes', { bytes: '-1' }],
    ['bytes', { bytes: '1e99' }],
  ])('no tricks with %s: %j', async (_field, changes) => {
    const bytes = randomBytes(10);
    const answer = await patch(`/uploads/${id()}${query(bytes, changes)}`, bytes);
    expect([400, 413]).toContain(answer.status);
  });

  test.each([
    '/uploads/..%2f..%2fstudio',
    `/uploads/${'g'.repeat(32)}`,
    '/blobs/original/..%2f..%2f..%2fstudio.db',
    `/blobs/keys/${'a'.repeat(64)}`,
  ])('%s is no address', async (where) => {
    expect([400, 404]).toContain((await call('GET', where)).status);
  });

  test('what is too large is refused before it comes', async () => {
    const bytes = randomBytes(10);
    const where = `/uploads/${id()}${query(bytes, { bytes: '999999999999' })}`;
    expect((await patch(where, bytes)).status).toBe(413);
  });

  test('ranges', async () => {
    const bytes = randomBytes(1000);
    const { key } = await open().putBytes('sheet', bytes);
    const part = await call('GET', `/blobs/${key}`, { headers: { range: 'bytes=900-' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 900-999/1000']);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(900))).toBe(true);
    const past = await call('GET', `/blobs/${key}`, { headers: { range: 'bytes=1000-' } });
    expect(past.status).toBe(416);
  });
});

test('without a token there are no routes, and a worker says what to do', async () => {
  const plain = await startWebStack({ colorizer: createSepiaColorizer() });
  try {
    const blobs = open({ studioUrl: plain.address });
    const key = `original/${'a'.repeat(64)}`;
    await expect(blobs.localFile(key)).rejects.toThrow(/HUANCAI_WORKER_TOKEN/);
    await expect(open({ token: 'x' }).localFile(key)).rejects.toThrow(BlobsAway);
    await expect(open().localFile(key)).rejects.toThrow(BlobMissing);
  } finally {
    await plain.close();
  }
});
