import { TelegramPerson } from '../emulators/telegram/person.js';
import { oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';
import { zipEntries, zipNames } from './support/zip-entries.js';

jest.setTimeout(600_000);

let shop: TelegramShop;
let nextId = 660_000;
const person = () => new TelegramPerson(shop.emulator, { id: ++nextId, language: 'en' });
const small = (count: number, seed: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => oldPhoto(seed + i, 64, 48)));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const statuses = (who: TelegramPerson) =>
  who.received.filter((m) => /^(?:Got|Colouring|All \d|Done)/.test(m.text ?? ''));
const pictures = (who: TelegramPerson) => who.received.filter((m) => m.photo);
const buttons = (who: TelegramPerson, label: RegExp) =>
  who.received
    .flatMap((m) => m.reply_markup?.inline_keyboard?.flat() ?? [])
    .filter((button) => label.test(button.text));

beforeAll(async () => {
  shop = await openTelegramShop({ HUANCAI_PRICES_FREE_PREVIEWS_PER_DAY: '1000' });
});
afterAll(() => shop.close());

test('fifty photos in five groups, uploaded one after the other: one album; the 51st is the next', async () => {
  const anna = person();
  const photos = await small(50, 100);
  for (let at = 0; at < 50; at += 10) {
    // More than a group's own photos ever lie apart: an upload of the next ten takes its time.
    if (at > 0) await pause(3_000);
    anna.sendsAlbum(photos.slice(at, at + 10), at === 0 ? 'portrait' : undefined);
  }
  anna.sendsPhoto(await oldPhoto(151, 64, 48));
  await anna.sees((m) => /An album holds 50 photos/.test(m.text ?? ''), 'word on the 51st', 60_000);
  await anna.sees((m) => /Your previews/.test(m.text ?? ''), 'price for all', 300_000);
  await shop.emulator.until(() => pictures(anna).length === 51, 'all previews', 60_000);
  // One status message of the album, one of the 51st photo.
  expect(
    statuses(anna)
      .map((m) => m.text)
      .sort(),
  ).toEqual(['All 50 are done.', 'Done.']);
  const groups = new Map<string, number>();
  for (const { media_group_id: group = 'alone' } of pictures(anna))
    groups.set(group, (groups.get(group) ?? 0) + 1);
  expect([...groups.values()].sort((a, b) => b - a)).toEqual([10, 10, 10, 10, 10, 1]);
  expect(buttons(anna, /^HD of all/).map((b) => b.text)).toEqual(['HD of all 50: 3500 ⭐']);

  const invoices = shop.emulator.invoices.size;
  anna.presses('HD of all 50');
  await shop.emulator.until(() => shop.emulator.invoices.size > invoices, 'invoice');
  expect(await anna.paysInvoice()).toBeDefined();
  expect(shop.emulator.stars.map((one) => one.amount)).toEqual([3_500]);
  await anna.sees((m) => /All 50 HD files are here/.test(m.text ?? ''), 'all files', 300_000);
  const files = anna.received.filter((m) => m.document);
  expect(new Set(files.map((m) => m.document!.file_name)).size).toBe(50);
  expect(files).toHaveLength(50);
  anna.presses('ZIP');
  const zip = await anna.sees((m) => m.document?.file_name === 'huancai.zip', 'ZIP', 60_000);
  expect(zipEntries(anna.bytesOf(zip.document!.file_id))).toBe(50);
  expect(shop.emulator.invoices.size).toBe(invoices + 1);
});

test('photos one by one, close together: the first is acknowledged at once, all are one album', async () => {
  const ben = person();
  const [first, ...others] = await small(12, 200);
  ben.sendsPhoto(first!);
  await ben.sees((m) => /^Got it/.test(m.text ?? ''), 'acknowledgement of the first');
  for (const photo of others) {
    ben.sendsPhoto(photo);
    await pause(150);
  }
  await ben.sees(
    (m) => /HD of all 12/.test(JSON.stringify(m.reply_markup ?? '')),
    'price for all',
    200_000,
  );
  expect(statuses(ben).map((m) => m.text)).toEqual(['All 12 are done.']);
  expect(pictures(ben)).toHaveLength(12);
});

test('two albums with a rest between them are two', async () => {
  const cara = person();
  cara.sendsAlbum(await small(2, 300));
  await cara.sees((m) => /Your previews/.test(m.text ?? ''), 'first price', 120_000);
  cara.sendsAlbum(await small(3, 310));
  await cara.sees(
    (m) => /HD of all 3/.test(JSON.stringify(m.reply_markup ?? '')),
    'second price',
    120_000,
  );
  expect(buttons(cara, /^HD of all/).map((b) => b.text.slice(0, 11))).toEqual([
    'HD of all 2',
    'HD of all 3',
  ]);
  expect(pictures(cara)).toHaveLength(5);
});

test('a photo deleted from an album takes no other one along; cancelling shows what is done', async () => {
  const dora = person();
  dora.sendsAlbum(await small(3, 400));
  await dora.sees((m) => /Your previews/.test(m.text ?? ''), 'price', 120_000);
  dora.says('/delete');
  await dora.sees((m) => /What would you like to delete/.test(m.text ?? ''), 'menu');
  dora.presses('The newest photo');
  await dora.sees((m) => /^Deleted/.test(m.text ?? ''), 'deletion');
  const invoices = shop.emulator.invoices.size;
  dora.presses('HD of all 3');
  await shop.emulator.until(() => shop.emulator.invoices.size > invoices, 'invoice');
  expect([...shop.emulator.invoices.values()].at(-1)!.amount).toBe(140);
});

test('what is said about a photo replies to its message; what was deleted is answered all the same', async () => {
  const edda = person();
  const [first, second] = await small(2, 500);
  const media_group_id = 'replies';
  const sent = [
    edda.sendsFile(first!, 'one.jpg', 'image/jpeg', { media_group_id }),
    edda.sendsFile(Buffer.from('no photo'), 'two.jpg', 'image/jpeg', { media_group_id }),
    edda.sendsFile(second!, 'three.jpg', 'image/jpeg', { media_group_id }),
  ].map((m) => m.message_id);
  const about = (m: { reply_to_message?: { message_id: number } }) =>
    m.reply_to_message && sent.indexOf(m.reply_to_message.message_id) + 1;
  const failed = await edda.sees(
    (m) => /could not be coloured\. /.test(m.text ?? ''),
    'failure',
    60_000,
  );
  expect([failed.text!.slice(0, 12), about(failed)]).toEqual(['Photo 2 of 3', 2]);
  await edda.sees((m) => /Your previews/.test(m.text ?? ''), 'price', 120_000);
  edda.presses('One by one');
  await edda.sees((m) => /in the order you sent them/.test(m.text ?? ''), 'list');
  const show = async (label: string, count: number) => {
    const alone = () => edda.received.filter((m) => m.photo && !m.media_group_id);
    edda.presses(label);
    await shop.emulator.until(() => alone().length === count, `preview of ${label}`, 60_000);
    return alone().at(-1)!;
  };
  const shown = await show('Photo 3', 1);
  expect([about(shown), shown.caption]).toEqual([3, expect.stringMatching(/^Before and after/)]);
  edda.messages.splice(
    edda.messages.findIndex((m) => m.message_id === sent[0]),
    1,
  );
  expect(about(await show('Photo 1', 2))).toBeUndefined();
});

test('HD files keep the names that their sender gave, in the ZIP too', async () => {
  const flora = person();
  const [first, second, third] = await small(3, 600);
  const media_group_id = 'names';
  flora.sendsFile(first!, 'grandma.jpg', 'image/jpeg', { media_group_id });
  flora.sendsFile(second!, '../../etc/Grandma.jpg', 'image/jpeg', { media_group_id });
  flora.sendsFile(third!, `\u202e奶奶 1962.${'x'.repeat(80)}.jpeg`, 'image/jpeg', {
    media_group_id,
  });
  await flora.sees((m) => /Your previews/.test(m.text ?? ''), 'price', 120_000);
  const invoices = shop.emulator.invoices.size;
  flora.presses('HD of all 3');
  await shop.emulator.until(() => shop.emulator.invoices.size > invoices, 'invoice');
  await flora.paysInvoice();
  await flora.sees((m) => /All 3 HD files are here/.test(m.text ?? ''), 'all files', 120_000);
  const long = `奶奶 1962.${'x'.repeat(52)}-colour.jpg`;
  expect(flora.received.flatMap((m) => m.document?.file_name ?? []).sort()).toEqual(
    ['grandma-colour.jpg', 'Grandma-colour.jpg', long].sort(),
  );
  flora.presses('ZIP');
  const zip = await flora.sees((m) => m.document?.file_name === 'huancai.zip', 'ZIP', 60_000);
  const names = ['grandma-colour.jpg', 'Grandma-colour-2.jpg', long];
  expect(zipNames(flora.bytesOf(zip.document!.file_id))).toEqual(names);
});
