import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { readLabel } from '../../src/inference/label/read-label.js';
import { WechatPerson } from '../emulators/wechat/person.js';
import type { WorldMessage } from '../emulators/wechat/world.js';
import { greyDifference, oldPhoto } from './support/old-photo.js';
import { openWechatShop, type WechatShop } from './support/wechat-shop.js';

jest.setTimeout(240_000);

let nextId = 0;
let seed = 500;
const photo = () => oldPhoto(++seed);
const isPicture = (m: WorldMessage) => m.filename === 'huancai-preview.jpg';
const isQr = (m: WorldMessage) => m.filename === 'pay.png';
const isMaster = (m: WorldMessage) => /^huancai-\w+\.jpg$/.test(m.filename ?? '') && !isPicture(m);

describe('WeChat journeys over the real studio', () => {
  let shop: WechatShop;
  const person = () => new WechatPerson(shop.world, `wxid_person_${++nextId}`);

  /** Send a photo, wait for its preview and what can be done with it. */
  async function preview(who: WechatPerson, bytes: Buffer) {
    who.sendsPicture(bytes);
    const shown = await who.sees(isPicture, 'preview', 120_000);
    const offer = await who.sees((m) => /^回复 1 \/ 2 \/ 3：/m.test(m.text), 'numbers');
    return { shown, offer };
  }

  /** The person pays whatever WeChat Pay has open. */
  function pays() {
    const open = [...shop.bank.trades.values()].filter((trade) => !trade.paidAtMs);
    const newest = open.at(-1);
    if (!newest) throw new Error('nothing to pay');
    expect(shop.bank.pay(newest.outTradeNo)).toBe(true);
    return newest;
  }

  beforeAll(async () => {
    shop = await openWechatShop();
  });
  afterAll(() => shop.close());

  test('photo, numbered preview, HD, QR code, payment, file', async () => {
    const anna = person();
    const original = await photo();
    const { offer } = await preview(anna, original);
    expect(offer.text).toContain('1 高清 ¥9.90');
    expect(offer.text).toContain('2 换一种颜色');
    expect(offer.text).toContain('3 调整');
    const before = anna.received.slice(0, anna.received.findIndex(isPicture));
    expect(before.length).toBeGreaterThanOrEqual(1);
    expect(before.length).toBeLessThanOrEqual(2);
    anna.says('1');
    const qr = await anna.sees(isQr, 'QR code');
    expect((await sharp(qr.bytes).metadata()).width).toBe(640);
    await anna.sees((m) => /微信支付 ¥9\.90/.test(m.text), 'how to pay');
    expect(pays().amountFen).toBe(990);
    const master = await anna.sees(isMaster, 'HD file', 120_000);
    const { width, height } = await sharp(master.bytes).metadata();
    expect([width, height]).toEqual([480, 360]);
    expect(await greyDifference(original, master.bytes!)).toBeLessThan(4);
    const file = path.join(shop.dir, 'received.jpg');
    writeFileSync(file, master.bytes!);
    expect(await readLabel(file)).toMatchObject({ Label: '1' });
    expect(anna.received.filter(isMaster)).toHaveLength(1);
    expect(anna.received.some((m) => /已收到付款/.test(m.text))).toBe(true);
  });
});
