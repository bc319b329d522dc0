import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { InferenceFailed, PhotoUnreadable } from '../../src/studio/errors/index.js';
import { createOperator } from '../../src/studio/operator.js';
import { clerk, openShop, type Shop, type ShopOptions, shopConfig } from '../support/shop.js';

let shop: Shop;
const open = async (options: ShopOptions = {}) => {
  shop = await openShop(options);
};
afterEach(() => shop.close());

const events = async (customerId: string, photoId: string) =>
  (await shop.studio.timeline(customerId, photoId)).map(({ event }) => event);

test('the same message and the same bytes are the same photo', async () => {
  await open();
  const someone = await shop.newCustomer();
  const [file, copy] = [await shop.picture(), path.join(shop.dir, 'copy.jpg')];
  copyFileSync(file, copy);
  const first = await shop.submit(someone, file);
  const again = await shop.submit(someone, copy);
  expect(again.id).toBe(first.id);
  const stranger = await shop.newCustomer();
  await expect(shop.studio.photo(stranger.id, first.id)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('a file that is no picture is refused on the spot and leaves nothing', async () => {
  await open();
  const someone = await shop.newCustomer();
  const file = path.join(shop.dir, 'note.jpg');
  writeFileSync(file, 'not a picture');
  await expect(shop.submit(someone, file)).rejects.toBeInstanceOf(PhotoUnreadable);
  expect(await shop.studio.photos(someone.id, { limit: 10 })).toEqual([]);
  for await (const blob of shop.blobs.list()) throw new Error(`left over: ${blob.key}`);
});

test('a photo that the channel fetches goes through intake', async () => {
  await open();
  const someone = await shop.newCustomer();
  const fileRef = await shop.picture({ width: 640, height: 480 });
  const { id: customerId, chat } = someone;
  const photo = await shop.studio.submitPhoto({ customerId, chat, key: 'm1', fileRef });
  expect(photo.status).toBe('received');
  await shop.drain();
  const ready = await shop.studio.photo(customerId, photo.id);
  expect(ready).toMatchObject({ status: 'ready', widthPx: 640, heightPx: 480 });
});

test('an unreadable fetched photo fails with its reason, and the customer is told', async () => {
  await open();
  const someone = await shop.newCustomer();
  shop.colorizer.faults.inspect.push(new PhotoUnreadable('cut short', undefined, 'cutOff'));
  const { id: customerId, chat } = someone;
  const fileRef = await shop.picture();
  const { id } = await shop.studio.submitPhoto({ customerId, chat, key: 'm1', fileRef });
  await shop.drain();
  const failed = await shop.studio.photo(customerId, id);
  expect(failed).toMatchObject({ status: 'failed', error: { messageKey: 'photo.unreadable' } });
  expect(shop.told).toMatchObject([
    { event: { kind: 'photo.failed', params: { reason: 'cutOff' } } },
  ]);
});

test('strangers have a daily number of free previews; midnight is local; payers are free', async () => {
  await open({ config: { prices: { ...shopConfig.prices, freePreviewsPerDay: 2 } } });
  const someone = await shop.newCustomer();
  await shop.submit(someone);
  await shop.submit(someone);
  expect((await shop.studio.profile(someone.id)).freePreviewsLeftToday).toBe(0);
  await expect(shop.submit(someone)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  shop.skip(24 * 3_600_000);
  await shop.submit(someone);
  await shop.submit(someone);
  await shop.drain();
  const options = { key: 'k', chat: someone.chat, method: 'sandbox' } as const;
  const order = await shop.studio.topUp(someone.id, 'ten', options);
  await shop.sandbox.pay(shop.sandbox.tradeOf(order.qr!)!);
  await shop.studio.refreshOrder(order.id);
  await shop.drain();
  await shop.submit(someone);
});

test('a full waiting room, a full disk and a pause close the intake', async () => {
  await open({ config: { intake: { waitingPerCustomer: 1, waitingTotal: 2, minFreeBytes: 1 } } });
  const office = createOperator(shop.context);
  const [one, two, three] = [
    await shop.newCustomer(),
    await shop.newCustomer(),
    await shop.newCustomer(),
  ];
  await shop.submit(one);
  const closed = (reason: string) => ({ code: 'INTAKE_CLOSED', params: { reason } });
  await expect(shop.submit(one)).rejects.toMatchObject(closed('backlog'));
  await shop.submit(two);
  await expect(shop.submit(three)).rejects.toMatchObject(closed('backlog'));
  await shop.drain();
  await office.pauseIntake(clerk, true);
  await expect(shop.submit(three)).rejects.toMatchObject(closed('paused'));
  await office.pauseIntake(clerk, false);
  await shop.submit(three);
});

test('out of memory means one size down, noted in the history', async () => {
  await open();
  const someone = await shop.newCustomer();
  shop.colorizer.memoryPx = 384;
  const chat = someone.chat;
  const file = await shop.picture();
  const wanted = { customerId: someone.id, chat, key: 'k', file, preset: 'portrait' };
  const { id } = await shop.studio.submitPhoto(wanted);
  await shop.drain();
  const ready = await shop.studio.photo(someone.id, id);
  expect(ready.status).toBe('ready');
  expect(await events(someone.id, id)).toContain('photo.outOfMemory');
  const lines = await shop.studio.timeline(someone.id, id);
  const predicted = lines.find(({ event }) => event === 'photo.predicted');
  expect(predicted?.details).toMatchObject({ inputWidthPx: 384, provider: 'cpu' });
});

test('a dead engine is tried again; one that stays dead fails the photo with a reason', async () => {
  await open();
  const someone = await shop.newCustomer();
  shop.colorizer.faults.predict.push(new InferenceFailed('died'), new Error('bug'));
  const first = await shop.readyPhoto(someone);
  expect(first.status).toBe('ready');
  expect(await events(someone.id, first.id)).toContain('photo.tryingAgain');
  shop.colorizer.faults.predict.push(
    ...Array.from({ length: 20 }, () => new InferenceFailed('died')),
  );
  const second = await shop.readyPhoto(someone);
  expect(second).toMatchObject({ status: 'failed', error: { code: 'INFERENCE_FAILED' } });
  shop.colorizer.faults.predict.length = 0;
});

test('what failed is tried again when it is sent again', async () => {
  await open();
  const someone = await shop.newCustomer();
  shop.colorizer.faults.predict.push(new PhotoUnreadable('bad luck'));
  const file = await shop.picture();
  const bytes = readFileSync(file);
  const { id } = await shop.submit(someone, file);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, id)).status).toBe('failed');
  writeFileSync(file, bytes);
  expect((await shop.submit(someone, file)).id).toBe(id);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, id)).status).toBe('ready');
});

test('variants come with a numbered sheet; those with other finishing only need no inference', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const before = shop.colorizer.calls.predict;
  await shop.studio.addVariants(someone.id, photo.id, 3);
  await shop.drain();
  const { looks, sheetKey } = await shop.studio.photo(someone.id, photo.id);
  expect(looks.map((look) => [look.index, look.state])).toEqual(
    [0, 1, 2, 3].map((i) => [i, 'ready']),
  );
  expect(await shop.blobs.has(sheetKey!)).toBe(true);
  // The last tile shows its own label and no second one over it.
  const sheet = sharp(await shop.blobs.localFile(sheetKey!));
  const { width = 0, height = 0 } = await sheet.metadata();
  const tile = { width: Math.floor((width - 12) / 3) - 12, height: height - 24 };
  const [left, top] = [width - 12 - tile.width, 12];
  const part = { left: tile.width >> 1, top: tile.height >> 1 };
  const size = { width: tile.width >> 1, height: tile.height >> 1 };
  const [onSheet, own] = await Promise.all([
    sheet
      .extract({ left: left + part.left, top: top + part.top, ...size })
      .removeAlpha()
      .raw()
      .toBuffer(),
    sharp(await shop.blobs.localFile(looks[3]!.previewKey!))
      .resize(tile.width, tile.height)
      .extract({ ...part, ...size })
      .removeAlpha()
      .raw()
      .toBuffer(),
  ]);
  const far = onSheet.filter((v, i) => Math.abs(v - own[i]!) > 60).length;
  expect(far / onSheet.length).toBeLessThan(0.01);
  expect(shop.colorizer.calls.predict - before).toBe(1);
  expect(shop.told.at(-1)?.event).toMatchObject({ kind: 'photo.looks' });
  const chosen = looks[2]!.id;
  const selected = await shop.studio.selectLook(someone.id, photo.id, chosen);
  expect(selected.selectedLookId).toBe(chosen);
  await expect(shop.studio.addVariants(someone.id, photo.id, 30)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

test('adjusting reuses the plane of the chosen look', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const before = shop.colorizer.calls.predict;
  await shop.studio.adjust(someone.id, photo.id, { strength: 0.5, warmth: 0.3 });
  await shop.drain();
  const { looks } = await shop.studio.photo(someone.id, photo.id);
  expect(looks[1]).toMatchObject({ state: 'ready', finishing: { strength: 0.5, warmth: 0.3 } });
  expect(shop.colorizer.calls.predict).toBe(before);
});

test('choosing another look after HD makes its HD for nothing', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  await createOperator(shop.context)
    .createCodes(clerk, { credits: 1, count: 1, batch: 'b', expiresMs: null })
    .then(([code]) => shop.studio.redeemCreditCode(someone.id, code!));
  await shop.studio.unlock(someone.id, [photo.id], { key: 'k', chat: someone.chat });
  await shop.drain();
  const first = (await shop.studio.photo(someone.id, photo.id)).masterKey;
  await shop.studio.adjust(someone.id, photo.id, { strength: 0.2 });
  await shop.drain();
  const { looks } = await shop.studio.photo(someone.id, photo.id);
  await shop.studio.selectLook(someone.id, photo.id, looks[1]!.id);
  await shop.drain();
  const second = await shop.studio.photo(someone.id, photo.id);
  expect(second.masterKey).toBeDefined();
  expect(second.masterKey).not.toBe(first);
  expect((await shop.studio.profile(someone.id)).credits).toBe(0);
});

test('a waiting photo can be cancelled and its late result is dropped', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  expect((await shop.studio.cancelPhoto(someone.id, photo.id)).status).toBe('cancelled');
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).status).toBe('cancelled');
  expect(shop.news()).toEqual([]);
  await shop.studio.cancelPhoto(someone.id, photo.id);
});

test('a photo deleted while it is coloured leaves no file behind', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  const [job] = await shop.store.read.outbox.pending(1);
  await shop.pipeline.handlers.restore({
    ...(job as never as { key: string }),
    ...{ attempt: 1, signal: new AbortController().signal, progress: () => {} },
  } as never);
  await shop.studio.deletePhoto(someone.id, photo.id);
  await shop.drain();
  const left: string[] = [];
  for await (const { key } of shop.blobs.list()) left.push(key);
  expect(left).toEqual([]);
  expect(await shop.studio.photos(someone.id, { limit: 10 })).toEqual([]);
  await expect(shop.studio.photo(someone.id, photo.id)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('watchers see progress and changes; the photo is restoring meanwhile', async () => {
  await open();
  const someone = await shop.newCustomer();
  const seen: string[] = [];
  const stop = shop.studio.watch(someone.id, ({ kind }) => seen.push(kind));
  const photo = await shop.readyPhoto(someone);
  stop();
  expect(seen).toEqual(expect.arrayContaining(['photo', 'progress']));
  expect(photo.progress).toBeUndefined();
});

test('bytes that another customer deletes while they are sent: the sender hears of it', async () => {
  await open();
  const [one, two] = [await shop.newCustomer(), await shop.newCustomer()];
  const file = await shop.picture();
  const bytes = readFileSync(file);
  const first = await shop.submit(one, file);
  await shop.drain();
  const { putFile } = shop.blobs;
  const deletedMeanwhile: typeof putFile = async (kind, path) => {
    const stored = await putFile(kind, path);
    await shop.studio.deletePhoto(one.id, first.id);
    return stored;
  };
  writeFileSync(file, bytes);
  Object.assign(shop.blobs, { putFile: deletedMeanwhile });
  await expect(shop.submit(two, file)).rejects.toMatchObject({
    ...{ code: 'DISK_UNAVAILABLE', retry: 'later' },
  });
  Object.assign(shop.blobs, { putFile });
  await shop.drain();
  writeFileSync(file, bytes);
  const again = await shop.submit(two, file);
  await shop.drain();
  expect((await shop.studio.photo(two.id, again.id)).status).toBe('ready');
});

test('two customers with the same bytes share a blob until both are gone', async () => {
  await open();
  const [one, two] = [await shop.newCustomer(), await shop.newCustomer()];
  const file = await shop.picture();
  const bytes = readFileSync(file);
  const first = await shop.submit(one, file);
  writeFileSync(file, bytes);
  const second = await shop.submit(two, file);
  await shop.drain();
  const key = (await shop.studio.photo(two.id, second.id)).originalKey!;
  await shop.studio.deletePhoto(one.id, first.id);
  expect(await shop.blobs.has(key)).toBe(true);
  await shop.studio.deletePhoto(two.id, second.id);
  expect(await shop.blobs.has(key)).toBe(false);
});
