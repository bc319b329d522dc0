import sharp from 'sharp';
import { WechatPerson } from '../emulators/wechat/person.js';
import type { WorldMessage } from '../emulators/wechat/world.js';
import { oldPhoto } from './support/old-photo.js';
import { openWechatShop, type WechatShop } from './support/wechat-shop.js';
import { zipEntries } from './support/zip-entries.js';

jest.setTimeout(600_000);

const isPreview = (m: WorldMessage) => m.filename === 'huancai-preview.jpg';
const isMaster = (m: WorldMessage) => /^huancai-\w{6}\.jpg$/.test(m.filename ?? '');
let shop: WechatShop;

beforeAll(async () => {
  shop = await openWechatShop({ HUANCAI_PRICES_FREE_PREVIEWS_PER_DAY: '1000' });
});
afterAll(() => shop.close());

test('fifty pictures in a row: one album with one price; the 51st is the next', async () => {
  const anna = new WechatPerson(shop.world, 'wxid_anna');
  const said = (words: RegExp) => anna.received.filter((m) => words.test(m.text));
  const pictures = await Promise.all(
    Array.from({ length: 51 }, (_, i) => oldPhoto(800 + i, 64, 48)),
  );
  for (const picture of pictures) anna.sendsPicture(picture);
  await anna.sees((m) => /收到 50 张/.test(m.text), 'acknowledgement', 120_000);
  await anna.sees((m) => /一组最多 50 张/.test(m.text), 'word on the 51st', 60_000);
  await shop.until(() => said(/全部高清（50 张）/).length > 0, 'one price', 300_000);
  await shop.until(() => anna.received.filter(isPreview).length === 51, 'all previews', 120_000);
  const [offer] = said(/全部高清/);
  expect(offer!.text).toContain('¥495.00');
  // Of the album one acknowledgement and one word on the way.
  expect(said(/收到 \d+ 张/)).toHaveLength(1);
  expect(said(/已完成 \d+\/50/)).toHaveLength(1);
  expect(said(/全部高清/)).toHaveLength(1);
});

test('the album is bought with one payment, fifty files and a ZIP follow', async () => {
  const ben = new WechatPerson(shop.world, 'wxid_ben');
  const pictures = await Promise.all(
    Array.from({ length: 50 }, (_, i) => oldPhoto(860 + i, 64, 48)),
  );
  for (const picture of pictures) ben.sendsPicture(picture);
  await ben.sees((m) => /全部高清（50 张）/.test(m.text), 'one price', 300_000);
  ben.chooses('全部高清');
  await ben.sees((m) => m.filename === 'pay.png', 'QR code');
  const trades = [...shop.bank.trades.values()];
  expect(trades.map((trade) => trade.amountFen)).toEqual([49_500]);
  expect(shop.bank.pay(trades[0]!.outTradeNo)).toBe(true);
  await ben.sees((m) => /50 张高清文件都在这里了/.test(m.text), 'all files', 300_000);
  const files = ben.received.filter(isMaster);
  expect(files).toHaveLength(50);
  expect(new Set(files.map((m) => m.filename)).size).toBe(50);
  ben.chooses('打包下载');
  const zip = await ben.sees((m) => m.filename === 'huancai.zip', 'ZIP', 60_000);
  expect(zipEntries(zip.bytes!)).toBe(50);
  expect(shop.bank.trades.size).toBe(1);
});

test('HD files that one ZIP has no room for come in several', async () => {
  const small = await openWechatShop({ HUANCAI_WECHAT_UPLOAD_BYTES: '1000000' });
  try {
    const cara = new WechatPerson(small.world, 'wxid_cara');
    const pictures = await Promise.all([1, 2, 3].map((seed) => grain(seed)));
    for (const picture of pictures) cara.sendsPicture(picture);
    await cara.sees((m) => /全部高清（3 张）/.test(m.text), 'one price', 120_000);
    cara.chooses('全部高清');
    await cara.sees((m) => m.filename === 'pay.png', 'QR code');
    expect(small.bank.pay([...small.bank.trades.values()][0]!.outTradeNo)).toBe(true);
    await cara.sees((m) => /3 张高清文件都在这里了/.test(m.text), 'all files', 120_000);
    cara.chooses('打包下载');
    await cara.sees((m) => /第 1 个压缩包，共 \d 个/.test(m.text), 'first part', 60_000);
    const zips = () => cara.received.filter((m) => /^huancai-\d\.zip$/.test(m.filename ?? ''));
    await small.until(
      () => zips().reduce((sum, { bytes }) => sum + zipEntries(bytes!), 0) === 3,
      'all parts',
    );
    expect(zips().length).toBeGreaterThan(1);
    for (const { bytes } of zips()) expect(bytes!.length).toBeLessThanOrEqual(1_000_000);
  } finally {
    await small.close();
  }
});

test('whoever wants to be the operator asks the account for their own id', async () => {
  const dora = new WechatPerson(shop.world, 'wxid_dora');
  dora.says('/id');
  await dora.sees((m) => m.text === 'wxid_dora', 'id');
  // Knowing it makes nobody the operator.
  dora.says('/pause');
  await dora.sees((m) => /发照片|帮助/.test(m.text), 'help');
  expect(shop.world.sent.some((m) => /已暂停/.test(m.text))).toBe(false);
});

/** Film grain, which JPEG cannot make small: about half a megabyte. */
function grain(seed: number): Promise<Buffer> {
  const [width, height] = [900, 700];
  let state = seed;
  const noise = Buffer.alloc(width * height).map(() => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state >>> 22;
  });
  return sharp(noise, { raw: { width, height, channels: 1 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}
