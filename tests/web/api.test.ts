import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
let client: HttpClient;
const old = readFileSync(path.join(packageRoot, 'assets/demo/photographer.jpg'));

beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack.close());
beforeEach(() => {
  client = createHttpClient(stack.url);
});

async function ready(id: string) {
  await until(async () => (await client.json('GET', `/photos/${id}`)).status === 'ready', 60_000);
  return readyPhoto(id);
}

async function readyPhoto(id: string) {
  const { body } = await raw(`/photos/${id}`);
  return body;
}

async function raw(route: string) {
  const response = await client.send('GET', `/api/v1${route}`);
  return {
    status: response.status,
    headers: response.headers,
    // biome-ignore lint/suspicious/noExplicitAny: answers are checked field by field
    body: (await response.json()) as any,
  };
}

test('a script walks from an old photo to a paid HD file', async () => {
  const sent = await client.upload(old);
  expect(sent).toMatchObject({ httpStatus: 202, id: expect.stringMatching(/^ph_/) });
  expect(sent.position).toEqual(expect.any(Number));
  expect(sent.etaSeconds).toEqual(expect.any(Number));
  expect(['received', 'queued', 'restoring']).toContain(sent.status);
  const again = await client.upload(old);
  expect(again.id).toBe(sent.id);

  await until(async () => (await raw(`/photos/${sent.id}`)).body.status === 'ready', 60_000);
  const photo = await readyPhoto(sent.id);
  expect(photo.looks[0]).toMatchObject({ status: 'ready', model: 'starter', strength: 1 });
  const preview = await client.send('GET', photo.looks[0].previewUrl);
  expect(preview.headers.get('content-type')).toBe('image/jpeg');
  const shown = await sharp(Buffer.from(await preview.arrayBuffer())).metadata();
  expect(shown.width).toBeGreaterThan(200);
  expect((await client.send('GET', `/api/v1/photos/${sent.id}/comparison`)).status).toBe(200);
  const original = await client.send('GET', `/api/v1/photos/${sent.id}/original`);
  expect(Buffer.from(await original.arrayBuffer()).equals(old)).toBe(true);

  const refused = await raw(`/photos/${sent.id}/master`);
  expect(refused).toMatchObject({ status: 402, body: { code: 'PAYMENT_REQUIRED' } });
  expect(refused.headers.get('content-type')).toMatch('application/problem+json');

  const key = { 'idempotency-key': 'wish-number-1' };
  const { status, order } = await client.json('POST', `/photos/${sent.id}/unlock`, undefined, key);
  expect(status).toBe(201);
  expect(order).toMatchObject({
    amountFen: 990,
    currency: 'CNY',
    method: 'sandbox',
    sandbox: true,
    qr: expect.stringContaining('/sandbox/'),
    payUrl: expect.stringContaining(`${stack.url}/pay/`),
    expiresAt: expect.stringMatching(/Z$/),
  });
  const same = await client.json('POST', `/photos/${sent.id}/unlock`, undefined, key);
  expect(same.order.id).toBe(order.id);

  const paid = await fetch(order.payUrl, { method: 'POST' });
  expect(paid.status).toBe(200);
  const twice = await fetch(order.payUrl, { method: 'POST' });
  expect(twice.status).toBe(200);
  await until(async () => (await client.send('GET', `/api/v1/photos/${sent.id}/master`)).ok);
  const master = await client.send('GET', `/api/v1/photos/${sent.id}/master`);
  expect(master.headers.get('content-disposition')).toMatch(/^attachment; filename="huancai-/);
  const size = await sharp(Buffer.from(await master.arrayBuffer())).metadata();
  const wanted = await sharp(old).metadata();
  expect([size.width, size.height]).toEqual([wanted.width, wanted.height]);

  // Another look may be chosen: a browser must ask again. What an address always answers lasts.
  const kept = (response: Response) => response.headers.get('cache-control');
  expect(kept(master)).toBe('private, no-cache');
  expect(await askAgain(`/photos/${sent.id}/master`, master.headers.get('etag')!)).toBe(304);
  expect(kept(await client.send('GET', `/api/v1/photos/${sent.id}/preview`))).toBe(kept(master));
  expect(kept(preview)).toMatch(/immutable/);

  const bought = await raw(`/orders/${order.id}`);
  expect(['paid', 'fulfilled']).toContain(bought.body.status);
  const receipt = await raw(`/orders/${order.id}/receipt`);
  expect(receipt.body.lines).toEqual([{ text: 'HD file', amountMinor: 990 }]);
  const { timeline } = (await raw(`/photos/${sent.id}/timeline`)).body;
  const words = timeline.map((entry: { text: string }) => entry.text).join('\n');
  // Names of machines are the operator's.
  expect(JSON.stringify(timeline)).not.toMatch(/worker|test:1/);
  expect(words).toMatch(/decoded \d+ x \d+/);
  expect(words).toMatch(/starter at \d+ x \d+ on cpu/);
}, 120_000);

/** As a browser does; fetch would say "no-cache" with it. */
function askAgain(route: string, etag: string): Promise<number | undefined> {
  const headers = { cookie: client.cookie(), 'if-none-match': etag };
  return new Promise((resolve, reject) => {
    const asked = get(`${stack.url}/api/v1${route}`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
  });
}

test('another look, other colours, choosing one', async () => {
  const { id } = await client.upload(await picture(1));
  await ready(id);
  const adjusted = await client.json('POST', `/photos/${id}/adjust`, {
    strength: 1.3,
    warmth: 0.4,
  });
  expect(adjusted).toMatchObject({
    looks: [{ index: 0 }, { index: 1, strength: 1.3, warmth: 0.4 }],
  });
  await client.json('POST', `/photos/${id}/variants`, { count: 2 });
  const photo = await settledLooks(id, 4);
  const { id: lookId } = photo.looks[2];
  const chosen = await client.json('POST', `/photos/${id}/looks/${lookId}/select`);
  expect(chosen.selectedLookId).toBe(lookId);
  const sheet = await client.send('GET', `/api/v1/photos/${id}/sheet`);
  expect(sheet.headers.get('content-type')).toMatch('image/');
  const off = await client.json('POST', `/photos/${id}/adjust`, { strength: 9 });
  expect(off).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
}, 120_000);

async function settledLooks(id: string, count: number) {
  await until(async () => {
    const { looks } = await readyPhoto(id);
    return (
      looks.length === count && looks.every((look: { status: string }) => look.status === 'ready')
    );
  }, 60_000);
  return readyPhoto(id);
}

test('credits: packs, top-up, HD without another payment', async () => {
  const prices = await client.json('GET', '/prices');
  expect(prices).toMatchObject({ hdCredits: 1, methods: ['sandbox'], packs: [{ id: 'ten' }, {}] });
  const { order } = await client.json('POST', '/me/topups', { pack: 'ten', method: 'sandbox' });
  expect(order).toMatchObject({ kind: 'topup', credits: 10, amountFen: 6900 });
  await fetch(order.payUrl, { method: 'POST' });
  await until(async () => (await client.json('GET', '/me')).credits === 10);
  const { id } = await client.upload(await picture(2));
  await ready(id);
  const unlocked = await client.send('POST', `/api/v1/photos/${id}/unlock`, {
    headers: { 'idempotency-key': 'credits-please' },
  });
  expect(unlocked.status).toBe(200);
  expect(await unlocked.json()).toEqual({ status: 'unlocked' });
  expect((await client.json('GET', '/me')).credits).toBe(9);
}, 120_000);

test('a key used for another wish, or none at all, is refused', async () => {
  const [one, two] = [await client.upload(await picture(3)), await client.upload(await picture(4))];
  await ready(one.id);
  await ready(two.id);
  const key = { 'idempotency-key': 'the-same-key' };
  await client.json('POST', `/photos/${one.id}/unlock`, undefined, key);
  const other = await client.json('POST', `/photos/${two.id}/unlock`, undefined, key);
  expect(other).toMatchObject({ status: 422, code: 'IDEMPOTENCY_CONFLICT' });
  const none = await client.json('POST', `/photos/${two.id}/unlock`);
  expect(none).toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_MISSING' });
}, 120_000);

const tooMany = Array.from({ length: 51 }, (_, i) => `ph_${i}`);
const tooStrong = { settings: { finishing: { strength: 1e30 } } };
test.each([
  ['POST', '/photos/x/variants', { count: 9 }, 'count', '<= 4', '9'],
  ['POST', '/photos/x/adjust', { strength: 'much' }, 'strength', 'number', '"much"'],
  ['POST', '/me/topups', { pack: 'ten', method: 'gold' }, 'method', /^sandbox, alipay/, '"gold"'],
  ['POST', '/me/redeem', { code: 'abc' }, 'code', 'length >= 4', '"abc"'],
  ['PATCH', '/me', { settings: { preset: '../x' } }, 'settings.preset', /^\^/, '"../x"'],
  ['PATCH', '/me', { settings: { preset: 'nosuch' } }, 'preset', /^auto, portrait/, 'nosuch'],
  ['PATCH', '/me', { settings: { preset: 'constructor' } }, 'preset', /^auto/, 'constructor'],
  ['POST', '/unlocks', { photoIds: tooMany }, 'photoIds', 'length <= 50', /^\["ph_0"/],
  ['PATCH', '/me', tooStrong, 'settings.finishing.strength', '<= 1.5', '1e+30'],
])('%s %s %j: the field, the rule and the value', async (verb, route, body, ...words) => {
  const [field, expected, found] = words;
  const answer = await client.json(verb, route, body);
  expect(answer).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
  expect(answer.params).toEqual({
    field,
    expected: expected instanceof RegExp ? expect.stringMatching(expected) : expected,
    found: found instanceof RegExp ? expect.stringMatching(found) : found,
  });
});

test('what cannot be read at all is said in the language of the reader, and in it alone', async () => {
  const zh = { 'accept-language': 'zh-CN' };
  const detail = async (init: RequestInit, status: number) => {
    const headers = { ...zh, ...(init.headers as Record<string, string>) };
    const answer = await client.send('POST', '/api/v1/me/topups', { ...init, headers });
    expect(answer.status).toBe(status);
    return ((await answer.json()) as { detail: string }).detail;
  };
  const json = { 'content-type': 'application/json' };
  expect(await detail({ headers: json, body: '{"pack":' }, 400)).toBe('请求格式有误。');
  expect(await detail({ headers: json, body: '{"pack":"ten"}' }, 400)).toBe('缺少 method。');
  expect(await detail({ headers: { 'content-type': 'text/csv' }, body: 'a' }, 415)).toMatch(/json/);
  const long = JSON.stringify({ pack: 'x'.repeat(100_000), method: 'sandbox' });
  expect(await detail({ headers: json, body: long }, 413)).toBe('内容过长，上限是 64 kB。');
  const upload = async (fields: Record<string, string>, name = 'photo') => {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.append(key, value);
    form.append(name, new Blob([Uint8Array.from(old)]), 'a.jpg');
    const answer = await client.send('POST', '/api/v1/photos', { body: form, headers: zh });
    expect(answer.status).toBe(400);
    return ((await answer.json()) as { detail: string }).detail;
  };
  expect(await upload({ strength: '9' })).toBe('strength：应为 0 … 1.5，收到 9。');
  expect(await upload({ size: '300.5' })).toBe('size：应为 integer，收到 300.5。');
  expect(await upload({ preset: 'constructor' })).toMatch(/^preset：应为 auto, /);
  expect(await upload({}, 'picture')).toBe('无法识别 picture。');
  const { id } = await client.upload(await picture(7));
  await ready(id);
  const none = await client.json('POST', `/photos/${id}/cancel`, undefined, zh);
  expect(none).toMatchObject({ status: 409, detail: '现在无法取消：已经完成。' });
}, 60_000);

test('what is not there yet is told from what is no longer there', async () => {
  const { id } = await client.upload(await picture(8));
  await ready(id);
  const early = await raw(`/photos/${id}/sheet`);
  expect(early).toMatchObject({ status: 409, body: { code: 'NOT_READY_YET' } });
  const key = { 'idempotency-key': 'given-up-soon' };
  const { order } = await client.json('POST', `/photos/${id}/unlock`, undefined, key);
  await client.json('POST', `/orders/${order.id}/cancel`);
  const code = async () => (await raw(`/orders/${order.id}/qr.svg`)).body.code;
  await until(async () => (await code()) === 'NOT_POSSIBLE_NOW', 10_000);
  await stack.store.transaction(async ({ photos, looks }) => {
    await photos.update(id, { originalKey: null });
    const [look] = await looks.ofPhoto(id);
    await looks.update(look!.id, { previewKey: null });
  });
  for (const file of ['original', 'preview']) {
    const gone = await raw(`/photos/${id}/${file}`);
    expect(gone).toMatchObject({ status: 410, body: { code: 'BLOB_MISSING' } });
  }
}, 60_000);

test("another's photo and order look as if they were not there", async () => {
  const { id } = await client.upload(await picture(5));
  await ready(id);
  const key = { 'idempotency-key': 'mine-not-yours' };
  const { order } = await client.json('POST', `/photos/${id}/unlock`, undefined, key);
  const stranger = createHttpClient(stack.url);
  for (const route of [`/photos/${id}`, `/photos/${id}/preview`, `/orders/${order.id}`]) {
    const answer = await stranger.json('GET', route);
    expect(answer).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  }
  expect((await stranger.json('DELETE', `/photos/${id}`)).status).toBe(404);
}, 60_000);

test('settings, language, deleting one photo and everything', async () => {
  const me = await client.json('PATCH', '/me', {
    language: 'zh-CN',
    settings: { preset: 'portrait' },
  });
  expect(me).toMatchObject({ language: 'zh-CN', settings: { preset: 'portrait' } });
  const chinese = await client.json('GET', '/photos/ph_nothing');
  expect(chinese.detail).toMatch(/[\u4e00-\u9fff]/);
  const english = await client.json('GET', '/photos/ph_nothing', undefined, {
    'accept-language': 'en',
  });
  expect(english.detail).toMatch(/^[\x20-\x7e]+$/);

  const { id } = await client.upload(await picture(6), { preset: 'auto', strength: '0.9' });
  await ready(id);
  expect((await client.send('DELETE', `/api/v1/photos/${id}`)).status).toBe(204);
  expect((await client.json('GET', `/photos/${id}`)).status).toBe(404);
  const gone = await client.send('DELETE', '/api/v1/me');
  expect(gone.status).toBe(204);
  expect(gone.headers.getSetCookie().join()).toMatch(/huancai=;/);
}, 60_000);

test('link codes join two browsers; a guess is refused in plain words', async () => {
  const { code } = await client.json('POST', '/me/link-codes');
  const phone = createHttpClient(stack.url);
  const mine = await client.json('GET', '/me');
  const joined = await phone.json('POST', '/me/links', { code });
  expect(joined.customerCode).toBe(mine.customerCode);
  const wrong = await phone.json('POST', '/me/redeem', { code: 'NOSUCHCODE' });
  expect(wrong.status).toBe(404);
  expect(wrong.detail).not.toMatch(/studio\.|undefined/);
});

function picture(seed: number): Promise<Buffer> {
  const background = { r: (seed * 37) % 256, g: (seed * 91) % 256, b: 99 };
  return sharp({ create: { width: 480, height: 360, channels: 3, background } })
    .composite([
      {
        input: Buffer.from(
          `<svg width="480" height="360"><circle cx="200" cy="${seed * 20}" r="90" fill="#777"/></svg>`,
        ),
      },
    ])
    .jpeg()
    .toBuffer();
}
