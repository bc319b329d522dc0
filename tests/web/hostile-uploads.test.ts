import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const photo = readFileSync(path.join(packageRoot, 'assets/demo/photographer.jpg'));
let stack: WebStack;
let client: HttpClient;

beforeAll(async () => {
  stack = await startWebStack();
  client = createHttpClient(stack.url);
});
afterAll(() => stack.close());

/** Whatever came, the server lives, nothing half-done is left, and the next photo is taken. */
afterEach(async () => {
  expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
  await until(() => readdirSync(stack.uploadDir).length === 0, 5_000);
});

/** The engine may look closer than the first glance: then the photo fails instead. */
async function outcome(bytes: Uint8Array, name?: string) {
  const answer = await client.upload(bytes, {}, name);
  if (answer.httpStatus !== 202) return answer;
  let failed: { status: string; error?: { code: string; detail: string } } = { status: '' };
  await until(async () => {
    const response = await client.send('GET', `/api/v1/photos/${answer.id}`);
    failed = (await response.json()) as typeof failed;
    return failed.status === 'failed' || failed.status === 'ready';
  }, 60_000);
  return { httpStatus: 202, status: failed.status, ...failed.error };
}

test('a stream of 1 GB is refused early, in words', async () => {
  const sent = await streamUpload(1_000_000_000, { chunked: true });
  expect(sent.status).toBe(413);
  expect(sent.body).toMatchObject({ code: 'PHOTO_FILE_TOO_LARGE' });
  expect(sent.sentBytes).toBeLessThan(60_000_000);
}, 60_000);

test('a declared 1 GB is refused before it is read', async () => {
  const sent = await streamUpload(1_000_000_000, { chunked: false });
  expect(sent.status).toBe(413);
  expect(sent.sentBytes).toBeLessThan(20_000_000);
}, 60_000);

test('an upload broken off leaves nothing behind', async () => {
  await new Promise<void>((resolve) => {
    const request = startUpload({ chunked: true });
    request.on('error', () => resolve());
    request.write(Buffer.alloc(500_000, 1), () => setTimeout(() => request.destroy(), 200));
    request.on('close', () => resolve());
  });
}, 30_000);

test('a decompression bomb is refused by its header', async () => {
  const bomb = pngBomb(60_000, 60_000);
  expect(bomb.length).toBeLessThan(100_000);
  const answer = await outcome(bomb, 'bomb.png');
  expect(answer).toMatchObject({ httpStatus: 413, code: 'PHOTO_TOO_LARGE' });
}, 60_000);

test('a truncated JPEG fails with a reason', async () => {
  const answer = await outcome(photo.subarray(0, 1_500));
  expect(answer).toMatchObject({ code: 'PHOTO_UNREADABLE' });
  expect(answer.detail).toMatch(/cannot be read/);
}, 60_000);

test('a file that is a picture and a page at once comes back as a picture only', async () => {
  const page = '<html><script>fetch("/api/v1/me",{method:"DELETE"})</script></html>';
  const polyglot = Buffer.concat([photo, Buffer.from(page)]);
  const { id, httpStatus } = await client.upload(polyglot, {}, 'photo.html');
  expect(httpStatus).toBe(202);
  const original = await client.send('GET', `/api/v1/photos/${id}/original`);
  expect(original.headers.get('content-type')).toBe('image/jpeg');
  expect(original.headers.get('x-content-type-options')).toBe('nosniff');
  expect(original.headers.get('content-disposition')).toMatch(/^attachment/);
  expect(original.headers.get('content-security-policy')).toMatch(/sandbox/);
}, 60_000);

test.each([
  [
    'an SVG with a script',
    '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  ],
  ['a page', '<!doctype html><title>no photo</title>'],
  ['a zip', 'PK\x03\x04 this is no photo at all'],
])(
  '%s is refused',
  async (_name, text) => {
    const answer = await outcome(Buffer.from(text, 'latin1'), 'photo.svg');
    expect([415, 422]).toContain(answer.httpStatus);
    expect(answer.detail.length).toBeGreaterThan(20);
  },
  60_000,
);

test('an empty file is refused', async () => {
  const answer = await client.upload(Buffer.alloc(0));
  expect(answer).toMatchObject({ httpStatus: 422, code: 'PHOTO_UNREADABLE' });
});

test('an animated GIF is coloured by its first picture', async () => {
  const frame = (background: string) =>
    sharp({ create: { width: 96, height: 64, channels: 3, background } })
      .png()
      .toBuffer();
  const frames = await Promise.all(['#222', '#777', '#ddd'].map(frame));
  const gif = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
  expect((await sharp(gif).metadata()).pages).toBe(3);
  expect(await outcome(gif, 'dance.gif')).toMatchObject({ status: 'ready' });
}, 60_000);

test('a panorama of 20,000 px comes out', async () => {
  const panorama = await sharp({
    create: { width: 20_000, height: 600, channels: 3, background: '#999' },
  })
    .jpeg()
    .toBuffer();
  const answer = await outcome(panorama, 'panorama.jpg');
  expect(answer.status).toBe('ready');
}, 90_000);

test('a name with ../ is only a name', async () => {
  const answer = await client.upload(photo, {}, '../../../../tmp/huancai-owned.jpg');
  expect(answer.httpStatus).toBe(202);
  expect(readdirSync(os.tmpdir())).not.toContain('huancai-owned.jpg');
}, 60_000);

test.each([
  ['no file', 'name="preset"', 'auto', 400],
  ['a wrong field', 'name="picture"; filename="x.jpg"', 'x', 400],
])('a form with %s says what is missing', async (_name, disposition, content, status) => {
  const body = `--b\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n--b--\r\n`;
  const response = await client.send('POST', '/api/v1/photos', {
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ code: 'INVALID_REQUEST' });
});

test('something else than a form is refused', async () => {
  const response = await client.send('POST', '/api/v1/photos', {
    body: photo,
    headers: { 'content-type': 'image/jpeg' },
  });
  expect(response.status).toBe(415);
});

test.each([
  [{ strength: '9' }],
  [{ size: 'huge' }],
  [{ model: '../../etc/passwd' }],
  [{ preset: 'x'.repeat(200) }],
])('an option that is off (%j) is named', async (fields) => {
  const answer = await client.upload(photo, fields);
  expect(answer).toMatchObject({ httpStatus: 400, code: 'INVALID_REQUEST' });
  expect(answer.detail).toContain(Object.keys(fields)[0]);
});

test('a full disk is said plainly and harms nothing else', async () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', dir], { stdio: 'pipe' });
  } catch (error) {
    rmSync(dir, { recursive: true });
    throw new Error(
      'This test mounts a small tmpfs and needs the right to: run it as root, or in a container with --cap-add SYS_ADMIN',
      { cause: error },
    );
  }
  const small = await startWebStack({ web: { uploadDir: path.join(dir, 'uploads') } });
  try {
    const customer = createHttpClient(small.url);
    const noise = await sharp(
      Buffer.alloc(600 * 600 * 3, 0).map(() => Math.random() * 255),
      {
        raw: { width: 600, height: 600, channels: 3 },
      },
    )
      .png()
      .toBuffer();
    const answer = await customer.upload(noise);
    expect(answer).toMatchObject({ httpStatus: 507, code: 'DISK_UNAVAILABLE' });
    expect(readdirSync(path.join(dir, 'uploads'))).toEqual([]);
    expect((await fetch(`${small.url}/healthz`)).status).toBe(200);
    expect((await customer.upload(photo)).httpStatus).toBe(202);
  } finally {
    await small.close();
    execFileSync('umount', [dir]);
    rmSync(dir, { recursive: true });
  }
}, 60_000);

test('what a killed server left half done is gone after the next start, what another one works on is not', async () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-left-'));
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  for (const pid of [dead, process.pid]) writeFileSync(path.join(dir, `${pid}-0a1b.part`), 'half');
  writeFileSync(path.join(dir, 'stray'), 'no upload of ours');
  const next = await startWebStack({ web: { uploadDir: dir } });
  expect(readdirSync(dir)).toEqual([`${process.pid}-0a1b.part`]);
  await next.close();
  rmSync(dir, { recursive: true });
}, 30_000);

/** A PNG that claims a size its few bytes unpack to only in theory. */
function pngBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const data = deflateSync(Buffer.alloc(20_000_000));
  const parts = [chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

const head = '--b\r\ncontent-disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n';

function startUpload(options: { chunked: boolean; bytes?: number }): http.ClientRequest {
  const length = options.chunked ? {} : { 'content-length': String(options.bytes) };
  const request = http.request(`${stack.url}/api/v1/photos`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...length },
  });
  request.write(head);
  return request;
}

/** Send as fast as it is taken, until an answer comes. */
function streamUpload(bytes: number, options: { chunked: boolean }) {
  return new Promise<{ status: number; body: unknown; sentBytes: number }>((resolve, reject) => {
    const request = startUpload({ ...options, bytes });
    const chunk = Buffer.alloc(1_000_000, 7);
    let sentBytes = 0;
    let answered = false;
    const send = () => {
      while (!answered && sentBytes < bytes) {
        sentBytes += chunk.length;
        if (!request.write(chunk)) {
          request.once('drain', send);
          return;
        }
      }
    };
    request.on('response', async (response) => {
      answered = true;
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      const body = JSON.parse(Buffer.concat(parts).toString());
      request.destroy();
      resolve({ status: response.statusCode ?? 0, body, sentBytes });
    });
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    send();
  });
}
