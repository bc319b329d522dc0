import { execFileSync } from 'node:child_process';
import path from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { type Fault, seededRandom } from '../emulators/faults.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { lightnessDifference, oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

jest.setTimeout(900_000);

const main = path.resolve(__dirname, '../../dist/cli/main.js');
let shop: TelegramShop;
let nextId = 550_000;
const person = () => new TelegramPerson(shop.emulator, { id: ++nextId, language: 'en' });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether Telegram still gets what the process was saying when the power went. */
type Side = 'unsaid' | 'said';

/** When the power went, Unix seconds. */
const cutsAtS: number[] = [];

async function cut(): Promise<void> {
  await shop.kill();
  cutsAtS.push(Date.now() / 1000);
  await shop.start();
}

/** The power goes inside the next such call; resolves when the process runs again. */
function cutInside(method: string, side: Side, when: () => boolean = () => true): Promise<void> {
  return new Promise((resolve, reject) => {
    shop.emulator.faults = (called): Fault | undefined => {
      if (called !== method || !when()) return undefined;
      shop.emulator.faults = () => undefined;
      cut().then(resolve, reject);
      return side === 'said' ? 'replyLost' : 'lost';
    };
  });
}

/** The power goes as soon as the database says so, or a moment later. */
async function cutWhen(sql: string, laterMs = 0): Promise<void> {
  const database = new Database(path.join(shop.dir, 'studio.db'), { readonly: true });
  try {
    for (const end = Date.now() + 60_000; !database.prepare(sql).get(); ) {
      if (Date.now() > end) throw new Error(`never: ${sql}`);
      await pause(2);
    }
  } finally {
    database.close();
  }
  await pause(laterMs);
  await cut();
}

const previewsOf = (who: TelegramPerson) => who.received.filter((m) => m.photo);
const filesOf = (who: TelegramPerson) => who.received.filter((m) => m.document);
const invoicesOf = (who: TelegramPerson) => who.received.filter((m) => m.invoice);
const paidBy = (who: TelegramPerson) =>
  shop.emulator.stars.filter(
    ({ source }) => (source?.['user'] as { id: number } | undefined)?.id === who.user.id,
  );

/** Whoever got no answer before Telegram gave up taps once more. */
async function pays(who: TelegramPerson): Promise<void> {
  for (let i = 0; i < 4; i++) if (await who.paysInvoice()) return;
  throw new Error('never paid');
}

/** A photo from its upload to its HD file, with the power cut inside every step. */
async function buysThroughCuts(who: TelegramPerson, side: Side, original: Buffer): Promise<void> {
  const inDownload = cutInside(side === 'said' ? 'download' : 'getFile', side);
  who.sendsFile(original, 'photo.jpg');
  await inDownload;
  const inPreview = cutInside('sendPhoto', side);
  await cutWhen(newest("state = 'restoring'"), side === 'said' ? 120 : 0);
  await inPreview;
  await who.sees((m) => m.photo !== undefined, 'preview', 180_000);
  const inInvoice = cutInside('sendInvoice', side);
  who.presses('HD');
  await inInvoice;
  await who.sees((m) => m.invoice !== undefined, 'invoice', 120_000);
  const inQuestion = cutInside('answerPreCheckoutQuery', side);
  await pays(who);
  await inQuestion;
  await who.sees((m) => m.document !== undefined, 'HD file', 180_000);
  await pause(3_000);
}

const newestId = 'select id from photos order by created_ms desc limit 1';
/** The photo that came last. */
const newest = (is: string) => `select 1 from photos where ${is} and id in (${newestId})`;

beforeAll(async () => {
  // What dies with its process is taken over soon.
  shop = await openTelegramShop({ HUANCAI_QUEUE_LEASE_MS: '5000' });
});
afterAll(() => shop.close());

test('cuts before Telegram got the message: everything arrives, and exactly once', async () => {
  const anna = person();
  const original = await oldPhoto(1_001);
  await buysThroughCuts(anna, 'unsaid', original);
  for (const these of [previewsOf(anna), invoicesOf(anna), filesOf(anna), paidBy(anna)])
    expect(these).toHaveLength(1);
  const file = anna.bytesOf(filesOf(anna)[0]!.document!.file_id);
  const { width, height } = await sharp(file).metadata();
  expect([width, height]).toEqual([480, 360]);
  expect(await lightnessDifference(original, file)).toBeLessThan(1.5);
});

test('cuts after Telegram got the message, before we knew: nothing lost, nothing paid twice', async () => {
  const ben = person();
  await buysThroughCuts(ben, 'said', await oldPhoto(1_002));
  // The cut fell after these had arrived and before that was written down: they may come again.
  for (const these of [previewsOf(ben), invoicesOf(ben)]) {
    expect(these.length).toBeGreaterThanOrEqual(1);
    expect(these.length).toBeLessThanOrEqual(2);
  }
  expect(filesOf(ben)).toHaveLength(1);
  expect(paidBy(ben)).toHaveLength(1);
  // A status is edited or left alone, never said again.
  const status = /^(?:Got it|Colouring|Done)/;
  expect(ben.received.filter((m) => status.test(m.text ?? '')).length).toBeLessThanOrEqual(1);
  // A second invoice of the same order cannot be paid.
  expect(await ben.paysInvoice()).toBeUndefined();
  expect(paidBy(ben)).toHaveLength(1);
});

test.each<Side>(['unsaid', 'said'])(
  'cuts inside payment, unlocking and the file (%s): paid once, one file',
  async (side) => {
    const cara = person();
    cara.sendsFile(await oldPhoto(side === 'said' ? 1_003 : 1_004), 'photo.jpg');
    await cara.sees((m) => m.photo !== undefined, 'preview', 180_000);
    cara.presses('HD');
    await cara.sees((m) => m.invoice !== undefined, 'invoice', 60_000);
    // The update that tells of the payment is the one that gets lost, or is not yet written down.
    const inPayment = cutInside('getUpdates', side, () => paidBy(cara).length > 0);
    await pays(cara);
    await inPayment;
    const inFile = cutInside('sendDocument', side);
    await cutWhen(`select 1 from holds where photo_id in (${newestId})`);
    await inFile;
    await cara.sees((m) => m.document !== undefined, 'HD file', 180_000);
    await pause(3_000);
    expect(paidBy(cara)).toHaveLength(1);
    expect(filesOf(cara).length).toBeGreaterThanOrEqual(1);
    expect(filesOf(cara).length).toBeLessThanOrEqual(side === 'said' ? 2 : 1);
    // Said once; once more only if the power went before it was written down that it had arrived.
    const thanks = cara.received.filter((m) => /^Payment received/.test(m.text ?? ''));
    expect(thanks.length).toBeLessThanOrEqual(2);
    for (const { date } of thanks.slice(0, -1))
      expect(cutsAtS.some((atS) => atS >= date && atS <= date + 2)).toBe(true);
  },
);

test('cuts inside an album: its groups, its price, its files and its ZIP', async () => {
  const dora = person();
  const inGroup = cutInside('sendMediaGroup', 'unsaid');
  dora.sendsAlbum([await oldPhoto(1_010), await oldPhoto(1_011), await oldPhoto(1_012)]);
  await inGroup;
  await dora.sees((m) => /Your previews/.test(m.text ?? ''), 'price', 120_000);
  expect(previewsOf(dora)).toHaveLength(3);
  dora.presses('HD of all 3');
  await dora.sees((m) => m.invoice !== undefined, 'invoice', 60_000);
  const inFile = cutInside('sendDocument', 'unsaid');
  await pays(dora);
  await inFile;
  await dora.sees((m) => /All 3 HD files are here/.test(m.text ?? ''), 'all files', 120_000);
  expect(filesOf(dora)).toHaveLength(3);
  const inPacking = cutInside('answerCallbackQuery', 'unsaid');
  dora.presses('ZIP');
  const inZip = inPacking.then(() => cutInside('sendDocument', 'unsaid'));
  await inZip;
  const isZip = (name = '') => name === 'huancai.zip';
  await dora.sees((m) => isZip(m.document?.file_name), 'ZIP', 120_000);
  await pause(3_000);
  expect(filesOf(dora).filter((m) => isZip(m.document?.file_name))).toHaveLength(1);
  expect(previewsOf(dora)).toHaveLength(3);
  expect(paidBy(dora)).toHaveLength(1);
});

test('power cuts at random moments: every photo ends once, and the books are in order', async () => {
  const people = Array.from({ length: 4 }, person);
  const random = seededRandom(20_261_124);
  for (const [i, who] of people.entries()) {
    who.sendsFile(await oldPhoto(1_020 + i), 'photo.jpg');
    await pause(random() * 1_500);
    await shop.kill();
    await shop.start();
  }
  for (const who of people) {
    await who.sees((m) => m.photo !== undefined, 'preview', 120_000);
    expect(previewsOf(who).length).toBeLessThanOrEqual(2);
  }
  expect(await shop.stop()).toBe(0);
  const env = { PATH: process.env.PATH, HOME: shop.dir, HUANCAI_DATA_DIR: shop.dir };
  const audit = execFileSync(process.execPath, [main, 'ledger', 'audit', '--json'], { env });
  expect(audit.toString()).toMatch(/./);
  const database = new Database(path.join(shop.dir, 'studio.db'), { readonly: true });
  const count = (sql: string) => Object.values(database.prepare(sql).get() as object)[0] as number;
  expect(count("select count(*) from photos where state <> 'ready'")).toBe(0);
  expect(count("select count(*) from holds where state <> 'posted'")).toBe(0);
  expect(count('select count(*) from holds')).toBe(7);
  expect(count("select count(*) from orders where state in ('paid', 'fulfilled')")).toBe(5);
  database.close();
});
