import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { readLabel } from '../../src/inference/render/index.js';
import { sweepWaivers } from '../../src/studio/label-choice.js';
import { limits } from '../../src/studio/limits.js';
import { sweepRetention } from '../../src/studio/sweep/retention.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { shopConfig } from '../support/shop.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

jest.setTimeout(120_000);
const demo = path.join(packageRoot, 'assets/demo/photographer.jpg');
let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack({ studio: { prices } });
});
afterAll(() => stack.close());

const prices = { ...shopConfig.prices, welcomeCredits: 5 };
const keep = process.env['LABEL_PICTURES'];

/** A photo that was paid for, by somebody who reads this language. */
async function paidPhoto(language: string, shop = stack) {
  const client = createHttpClient(shop.url, { 'accept-language': language });
  const sent = await sharp(demo).resize({ width: 1200 }).jpeg({ quality: 95 }).toBuffer();
  const { id } = await client.upload(sent);
  const state = () => client.json('GET', `/photos/${id}`);
  await until(async () => (await state()).status === 'ready', 60_000);
  const headers = { 'idempotency-key': `hd-${id}` };
  const { status } = await client.json('POST', `/photos/${id}/unlock`, undefined, headers);
  expect(status).toBe('unlocked');
  await until(async () => Boolean((await state()).masterUrl), 60_000);
  return { client, id, state, sent };
}

async function picture(client: HttpClient, url: string, name: string) {
  const answer = await client.send('GET', url);
  expect([url, answer.status]).toEqual([url, 200]);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (keep) writeFileSync(path.join(keep, name), bytes);
  return bytes;
}

/** Mean difference of lightness from the photo that was sent, above the label; of its left half too. */
async function difference(bytes: Buffer, sent: Buffer) {
  const { height } = await sharp(bytes).metadata();
  const own = await sharp(sent).metadata();
  const width = Math.round((height * own.width) / own.height);
  const area = { left: 0, top: 0, width, height: Math.round(height * 0.8) };
  const grey = (picture: Buffer) => sharp(picture).extract(area).greyscale().raw().toBuffer();
  const shown = await grey(bytes);
  const expected = await grey(await sharp(sent).resize(width, height, { fit: 'fill' }).toBuffer());
  let sum = 0;
  for (const [i, value] of expected.entries()) sum += Math.abs(value - shown[i]!);
  return sum / expected.length;
}

/** Width of the dark plate in the lower right corner, as a share of the picture's. */
async function labelled(withLabel: Buffer, without: Buffer) {
  const [a, b] = await Promise.all(
    [withLabel, without].map((one) =>
      sharp(one).greyscale().raw().toBuffer({ resolveWithObject: true }),
    ),
  );
  const { width } = a!.info;
  const columns = new Set<number>();
  for (const [i, value] of a!.data.entries())
    if (Math.abs(value - b!.data[i]!) > 25) columns.add(i % width);
  return { share: columns.size / width, columns: columns.size };
}

test('after payment the page has the paid file without a watermark, before it the own photo is clean', async () => {
  const { client, id, state, sent } = await paidPhoto('en');
  const photo = await state();
  const preview = await picture(client, photo.looks[0].previewUrl, 'preview.jpg');
  const comparison = await picture(client, photo.looks[0].comparisonUrl, 'comparison.jpg');
  const screen = await picture(client, photo.screenUrl, 'screen.jpg');
  const size = await sharp(screen).metadata();
  expect(Math.max(size.width, size.height)).toBe(1024);
  const marked = await difference(preview, sent);
  expect(marked).toBeGreaterThan(4);
  expect(await difference(screen, sent)).toBeLessThan(marked / 2);
  // Its left half is the photo as it was sent.
  expect(await difference(comparison, sent)).toBeLessThan(marked / 2);
  expect(await readLabelOf(screen)).toMatchObject({ ProduceID: id });
  const stranger = createHttpClient(stack.url);
  await stranger.json('POST', '/me/link-codes');
  expect((await stranger.send('GET', `/api/v1/photos/${id}/screen`)).status).toBe(404);
});

async function readLabelOf(bytes: Buffer) {
  const file = path.join(stack.dir, `${Math.random()}.jpg`);
  writeFileSync(file, bytes);
  return readLabel(file);
}

test.each([
  ['zh-CN', 0.2],
  ['en', 0.1],
])(
  '%s: with label by default, without after confirming once; the mark inside stays',
  async (language, widest) => {
    const { client, id, state } = await paidPhoto(language);
    expect((await state()).label).toBe('with');
    const labelledFile = await picture(
      client,
      `/api/v1/photos/${id}/master`,
      `with-${language}.jpg`,
    );
    const choose = (body: object) => client.json('POST', `/photos/${id}/label`, body);
    const unconfirmed = await choose({ visible: false });
    expect(unconfirmed).toMatchObject({ status: 428, code: 'LABEL_UNCONFIRMED' });
    expect(await waivers()).toEqual([]);
    expect(await choose({ visible: false, confirmed: true })).toMatchObject({ label: 'without' });
    await until(async () => Boolean((await state()).masterUrl), 60_000);
    const plain = await picture(client, `/api/v1/photos/${id}/master`, `without-${language}.jpg`);
    const { share, columns } = await labelled(labelledFile, plain);
    expect(columns).toBeGreaterThan(20);
    expect(share).toBeLessThan(widest);
    expect(await readLabelOf(plain)).toMatchObject({ Label: '1', ProduceID: id });
    expect(await waivers()).toMatchObject([{ photoId: id, asked: 'customer', language }]);
    // Once is enough, and it costs nothing.
    const { credits } = await client.json('GET', '/me');
    await choose({ visible: true });
    await until(async () => Boolean((await state()).masterUrl), 60_000);
    expect(
      (await labelled(await picture(client, `/api/v1/photos/${id}/master`, 'again.jpg'), plain))
        .columns,
    ).toBe(columns);
    expect(await choose({ visible: false })).toMatchObject({ label: 'without' });
    await until(async () => Boolean((await state()).masterUrl), 60_000);
    expect(await waivers()).toHaveLength(2);
    expect((await client.json('GET', '/me')).credits).toBe(credits);

    async function waivers() {
      const photo = await stack.store.read.photos.find(id);
      return stack.store.read.labelWaivers.ofCustomer(photo!.customerId);
    }
  },
);

test('what was confirmed is kept for six months, whatever else is deleted', async () => {
  const { context } = stack;
  const dayMs = 86_400_000;
  const add = (key: string, atMs: number) =>
    stack.store.transaction(({ labelWaivers }) =>
      labelWaivers.add({
        key,
        atMs,
        customerId: 'cu_x',
        photoId: 'ph_x',
        asked: 'customer',
        language: 'en',
      }),
    );
  const now = context.clock.now();
  await add('old', now - (limits.studio.labelWaiverDays + 1) * dayMs);
  await add('young', now - (limits.studio.labelWaiverDays - 1) * dayMs);
  await sweepRetention(context);
  expect(await sweepWaivers(context)).toBe(1);
  const left = await stack.store.read.labelWaivers.ofCustomer('cu_x');
  expect(left.map(({ key }) => key)).toEqual(['young']);
});

test('an operator may offer none of it, or leave the label out always', async () => {
  const never = await startWebStack({
    studio: { prices, label: { ...shopConfig.label, without: 'never' } },
  });
  const asked = await paidPhoto('en', never);
  expect(await asked.state()).not.toHaveProperty('label');
  const body = { visible: false, confirmed: true };
  expect(await asked.client.json('POST', `/photos/${asked.id}/label`, body)).toMatchObject({
    status: 409,
  });
  await never.close();
  const always = await startWebStack({
    studio: { prices, label: { ...shopConfig.label, without: 'always' } },
  });
  const given = await paidPhoto('en', always);
  const photo = await always.store.read.photos.find(given.id);
  expect(await always.store.read.labelWaivers.ofCustomer(photo!.customerId)).toMatchObject([
    { photoId: given.id, asked: 'operator' },
  ]);
  await always.close();
});
