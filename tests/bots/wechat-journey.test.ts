import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { readLabel } from '../../src/inference/label/read-label.js';
import { WechatPerson } from '../emulators/wechat/person.js';
import { botId, type WorldMessage } from '../emulators/wechat/world.js';
import { colourfulness, lightnessDifference, oldPhoto } from './support/old-photo.js';
import { openWechatShop, type WechatShop } from './support/wechat-shop.js';

jest.setTimeout(240_000);

const operatorId = 'wxid_operator';
let nextId = 0;
let seed = 500;
const photo = () => oldPhoto(++seed);
const isPicture = (m: WorldMessage) => m.filename === 'huancai-preview.jpg';
const isQr = (m: WorldMessage) => m.filename === 'pay.png';
const isMaster = (m: WorldMessage) => /^huancai-\w+\.jpg$/.test(m.filename ?? '') && !isPicture(m);

describe('WeChat journeys over the real studio', () => {
  let shop: WechatShop;
  let operator: WechatPerson;
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

  /** Buy HD of the photo that was shown last. */
  async function buysHd(who: WechatPerson) {
    who.chooses('高清');
    await who.sees(isQr, 'QR code');
    await who.sees((m) => /微信支付 ¥/.test(m.text), 'how to pay');
    const trade = pays();
    return { trade, master: await who.sees(isMaster, 'HD file', 120_000) };
  }

  beforeAll(async () => {
    shop = await openWechatShop({ WECHAT_OPERATOR_ID: operatorId });
    operator = new WechatPerson(shop.world, operatorId);
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
    expect(await lightnessDifference(original, master.bytes!)).toBeLessThan(1.5);
    expect(await colourfulness(master.bytes!)).toBeGreaterThan(2);
    const file = path.join(shop.dir, 'received.jpg');
    writeFileSync(file, master.bytes!);
    expect(await readLabel(file)).toMatchObject({ Label: '1' });
    expect(anna.received.filter(isMaster)).toHaveLength(1);
    expect(anna.received.some((m) => /已收到付款/.test(m.text))).toBe(true);
    anna.chooses('收据');
    const receipt = await anna.sees((m) => /^收据 or_/.test(m.text), 'receipt');
    expect(receipt.text).toContain('¥9.90');
  });

  test('another look: three on one picture, pick one by its number; adjust', async () => {
    const ben = person();
    await preview(ben, await photo());
    ben.chooses('换一种颜色');
    const sheet = await ben.sees(isPicture, 'sheet', 180_000);
    const { width = 0, height = 1 } = await sharp(sheet.bytes).metadata();
    expect(width / height).toBeGreaterThan(2);
    const offer = await ben.sees((m) => /您最喜欢哪一种/.test(m.text), 'question');
    // The picture has the numbers already: no list of them.
    expect(offer.text).not.toMatch(/^1 /m);
    ben.says('2');
    await ben.sees(isPicture, 'picked look');
    await ben.sees((m) => m.text.includes('3 调整'), 'offer');
    ben.chooses('调整');
    await ben.sees((m) => /想怎么调/.test(m.text), 'menu');
    ben.chooses('更暖');
    await ben.sees(isPicture, 'warmer preview', 120_000);
  });

  test('credits: a pack, then HD without another payment', async () => {
    const cara = person();
    cara.says('充值');
    await cara.sees((m) => /1 点可取 1 张高清/.test(m.text), 'packs');
    cara.chooses('5 点');
    await cara.sees(isQr, 'QR code');
    expect(pays().amountFen).toBe(3_900);
    await cara.sees((m) => /已加 5 点/.test(m.text), 'credited', 90_000);
    const { offer } = await preview(cara, await photo());
    expect(offer.text).toContain('1 高清 1 点');
    cara.chooses('高清');
    await cara.sees(isMaster, 'HD file', 120_000);
    cara.says('余额');
    const balance = await cara.sees((m) => /您有 4 点/.test(m.text), 'balance');
    expect(balance.text).toMatch(/客户码：[A-Z2-9]{8}/);
    expect(cara.received.filter(isQr)).toHaveLength(1);
  });

  test('sixty lines of one person are one matter, and nobody else waits for them', async () => {
    const [tom, una] = [person(), person()];
    for (let i = 0; i < 59; i++) tom.says(`第 ${i} 句话`);
    tom.says('多少钱');
    una.says('余额');
    await una.sees((m) => /您有/.test(m.text), 'balance of another');
    await tom.sees((m) => /预览免费/.test(m.text), 'the one answer');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(tom.received).toHaveLength(1);
  });

  test('a limit per customer: said once, then silence for words, and photos go on', async () => {
    const max = person();
    for (let i = 0; i < 36; i++) {
      const before = max.received.length;
      max.says('余额');
      if (i < 31) await shop.until(() => max.received.length > before, `answer ${i}`);
    }
    expect(max.received.filter((m) => /十分钟后/.test(m.text))).toHaveLength(1);
    max.sendsPicture(await photo());
    await max.sees(isPicture, 'preview', 120_000);
    expect(max.received.filter((m) => /您有/.test(m.text))).toHaveLength(30);
  });

  test.each([
    [11, '转账'],
    [12, '红包'],
  ])('money as a message (%s) is not taken: both sides hear of it', async (type, what) => {
    const rita = person();
    shop.world.says({ talkerId: rita.id, listenerId: botId, type: type as never, text: '' });
    const told = await rita.sees((m) => /不收转账和红包/.test(m.text), 'how to pay');
    expect(told.text).toContain('自动退还');
    await operator.sees((m) => m.text.includes(`发了${what}`), 'word to the operator');
  });

  test('an album: one word, previews together, one price and payment, a ZIP', async () => {
    const dora = person();
    for (let i = 0; i < 3; i++) dora.sendsPicture(await photo());
    dora.says('人像');
    await dora.sees((m) => /收到 3 张/.test(m.text), 'acknowledgement');
    for (let i = 0; i < 3; i++) await dora.sees(isPicture, `preview ${i}`, 180_000);
    const offer = await dora.sees((m) => /全部高清（3 张）/.test(m.text), 'one price');
    expect(offer.text).toContain('¥29.70');
    // The first word comes at once, the number when no more photos do.
    expect(dora.received.filter((m) => /收到/.test(m.text)).map((m) => m.text)).toEqual([
      '收到，请稍候……',
      expect.stringContaining('收到 3 张'),
    ]);
    dora.chooses('全部高清');
    await dora.sees(isQr, 'QR code');
    expect(pays().amountFen).toBe(2_970);
    for (let i = 0; i < 3; i++) await dora.sees(isMaster, `HD file ${i}`, 180_000);
    expect(dora.received.filter(isQr)).toHaveLength(1);
    await dora.sees((m) => /打包下载/.test(m.text), 'the way to the ZIP', 60_000);
    dora.chooses('打包下载');
    const zip = await dora.sees((m) => m.filename === 'huancai.zip', 'ZIP', 60_000);
    expect(zip.bytes!.subarray(0, 2).toString()).toBe('PK');
  });

  test('a group: only when mentioned; money and the paid file go to the person alone', async () => {
    const emil = person();
    const roomId = shop.world.addRoom('room-1@chatroom', '全家福', [emil.id, 'wxid_the_studio']);
    const inRoom = () => shop.world.sent.filter((m) => m.roomId === roomId);
    emil.saysIn(roomId, '今天天气不错', false);
    emil.sendsPictureIn(roomId, await photo());
    emil.saysIn(roomId, '帮我上色');
    await emil.sees((m) => /分钟内把照片发到群里/.test(m.text), 'invitation', 60_000, inRoom);
    expect(inRoom()).toHaveLength(1);
    emil.sendsPictureIn(roomId, await photo());
    await emil.sees(isPicture, 'preview in the room', 120_000, inRoom);
    await emil.sees((m) => /1 高清/.test(m.text), 'numbers', 60_000, inRoom);
    emil.saysIn(roomId, '1');
    const own = () => emil.received;
    await shop.until(() => own().some(isQr), 'QR code for the person alone');
    pays();
    await shop.until(() => own().some(isMaster), 'HD file for the person alone', 120_000);
    expect(inRoom().some((m) => isMaster(m) || isQr(m))).toBe(false);
  });

  test('a question reaches the operator, the answer comes back; money goes back once', async () => {
    const fred = person();
    await preview(fred, await photo());
    const { trade } = await buysHd(fred);
    fred.chooses('收据');
    const receipt = await fred.sees((m) => /^收据 or_/.test(m.text), 'receipt');
    const orderId = /or_\w+/.exec(receipt.text)![0];
    fred.says('客服：照片不是我的');
    await fred.sees((m) => /已转达/.test(m.text), 'confirmation');
    const question = await operator.sees((m) => /照片不是我的/.test(m.text), 'question');
    const code = /客户 ([A-Z2-9]{8})/.exec(question.text)![1]!;
    operator.says(`/answer ${code} 马上为您退款。`);
    await fred.sees((m) => /马上为您退款/.test(m.text), 'answer');
    operator.says(`/refund ${orderId} 错了`);
    await operator.sees((m) => m.text.includes(orderId), 'refunding');
    await fred.sees((m) => /正在退回给您/.test(m.text), 'refund', 90_000);
    operator.says(`/refund ${orderId}`);
    await operator.sees((m) => /无法退款/.test(m.text), 'refusal');
    expect([...trade.refunds.values()].map((one) => one.fen)).toEqual([990]);
  });

  test('operator: numbers, stuck photos, pause and resume, help', async () => {
    operator.says('/help');
    await operator.sees((m) => /\/broadcast/.test(m.text), 'help');
    operator.says('/today');
    await operator.sees((m) => /^今天：照片 \d+ 张/.test(m.text), 'numbers');
    operator.says('/stuck');
    await operator.sees((m) => /卡住|分钟/.test(m.text), 'stuck photos');
    operator.says('/pause');
    await operator.sees((m) => /已暂停/.test(m.text), 'pause');
    const gina = person();
    gina.sendsPicture(await photo());
    await gina.sees((m) => m.text !== '', 'closed');
    expect(gina.received.some(isPicture)).toBe(false);
    operator.says('/resume');
    await operator.sees((m) => /已恢复/.test(m.text), 'resume');
  });

  test('a broadcast reaches everybody once, past those that cannot be reached', async () => {
    const everybody = new Set(shop.world.sent.map((m) => m.listenerId).filter(Boolean));
    shop.world.refusing.add('wxid_person_1');
    operator.says('/broadcast 春节期间照常营业');
    await operator.sees((m) => /正在发给 \d+ 个聊天/.test(m.text), 'begin');
    const heard = () => shop.world.sent.filter((m) => m.text === '春节期间照常营业');
    await shop.until(() => heard().length >= everybody.size - 2, 'everybody', 60_000);
    expect(new Set(heard().map((m) => m.listenerId)).size).toBe(heard().length);
    shop.world.refusing.delete('wxid_person_1');
    await operator.sees((m) => /已送达/.test(m.text), 'end', 90_000);
  });

  test('language, history, unknown words, deleting everything', async () => {
    const hugo = person();
    hugo.says('language');
    await hugo.sees((m) => /English it is/.test(m.text), 'English');
    hugo.says('history');
    await hugo.sees((m) => /no photos yet/.test(m.text), 'history');
    hugo.says('blah');
    await hugo.sees((m) => /Send me a photo/.test(m.text), 'hint');
    hugo.says('9');
    await hugo.sees((m) => /not on offer/.test(m.text), 'no such number');
    hugo.says('语言');
    await hugo.sees((m) => /以后说中文/.test(m.text), 'Chinese');
    await preview(hugo, await photo());
    hugo.says('删除');
    await hugo.sees((m) => /要删除什么/.test(m.text), 'menu');
    hugo.chooses('全部');
    await hugo.sees((m) => /确定吗/.test(m.text), 'question');
    hugo.chooses('确定');
    await hugo.sees((m) => /已全部删除/.test(m.text), 'done');
  });

  test('bad input: plain words, nothing breaks', async () => {
    const ida = person();
    ida.sendsFile(Buffer.from('this is no picture'), 'x.jpg');
    await ida.sees((m) => /没能完成/.test(m.text), 'refusal', 60_000);
    ida.sendsFile(Buffer.from('words'), 'letter.docx');
    await ida.sees((m) => /发照片给我就好/.test(m.text), 'hint');
    shop.world.fetchFaults = 3;
    ida.sendsPicture(await photo());
    await ida.sees((m) => /没能收到/.test(m.text), 'lost photo', 60_000);
    await preview(ida, await photo());
  });
});
