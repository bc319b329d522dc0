import { WechatPerson } from '../emulators/wechat/person.js';
import type { WorldMessage } from '../emulators/wechat/world.js';
import { oldPhoto } from './support/old-photo.js';
import { openWechatShop, type WechatShop } from './support/wechat-shop.js';

jest.setTimeout(180_000);

const operatorId = 'wxid_operator';
const isPicture = (m: WorldMessage) => m.filename === 'huancai-preview.jpg';

/** The account itself: login, logout, limits, friends, people whose contact changes. */
describe('the WeChat account', () => {
  let shop: WechatShop;
  afterEach(() => shop.close());

  test('a login code waits to be scanned, then the account works', async () => {
    shop = await openWechatShop({}, (world) => {
      world.mode = 'scan';
    });
    await shop.until(() => shop.bots().wechat?.().state === 'scan', 'login code');
    expect(shop.bots().wechat?.().qr).toBe('https://login.example/scan-me');
    expect(shop.notices.join('\n')).toMatch(/\/console\/[0-9a-f]{64}/);
    // Whoever waits for the scan does not start over again and again.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(shop.world.starts).toBe(1);
    shop.world.puppet?.login('wxid_the_studio');
    await shop.until(() => shop.bots().wechat?.().state === 'running', 'login');
    const anna = new WechatPerson(shop.world, 'wxid_anna');
    anna.says('帮助');
    await anna.sees((m) => /您的客户码/.test(m.text), 'help');
  });

  test('logged out: it reconnects, nothing is lost, the operator hears of it', async () => {
    shop = await openWechatShop({ WECHAT_OPERATOR_ID: operatorId });
    const operator = new WechatPerson(shop.world, operatorId);
    const ben = new WechatPerson(shop.world, 'wxid_ben');
    ben.sendsPicture(await oldPhoto(901));
    await ben.sees((m) => /收到/.test(m.text), 'acknowledgement');
    shop.world.mode = 'broken';
    await shop.world.puppet?.logout('kicked');
    await shop.until(() => shop.bots().wechat?.().state === 'loggedOut', 'logout');
    expect(() => ben.sees(isPicture, 'nothing', 1)).rejects.toThrow();
    // The preview is finished while nobody is logged in.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect(ben.received.some(isPicture)).toBe(false);
    const starts = shop.world.starts;
    shop.world.mode = 'loggedIn';
    await shop.until(() => shop.bots().wechat?.().state === 'running', 'login', 60_000);
    expect(shop.world.starts).toBeGreaterThan(starts);
    await ben.sees(isPicture, 'preview after the login', 90_000);
    await operator.sees((m) => /已重新登录/.test(m.text), 'news for the operator', 60_000);
    ben.says('余额');
    await ben.sees((m) => /您有 0 点/.test(m.text), 'balance');
    expect(ben.received.filter(isPicture)).toHaveLength(1);
  });

  test('a puppet that fails at the start is started again', async () => {
    shop = await openWechatShop({}, (world) => {
      world.mode = 'broken';
    });
    await shop.until(() => shop.world.starts >= 2, 'another start');
    shop.world.mode = 'loggedIn';
    await shop.until(() => shop.bots().wechat?.().state === 'running', 'login', 60_000);
  });

  test('a day’s messages are used up: the rest waits, and the count survives a restart', async () => {
    shop = await openWechatShop({ HUANCAI_WECHAT_MESSAGES_PER_DAY: '3' });
    const cara = new WechatPerson(shop.world, 'wxid_cara');
    // Lines within seconds are one: each of these gets an answer of its own.
    for (let i = 0; i < 5; i++) {
      cara.says('帮助');
      await new Promise((resolve) => setTimeout(resolve, 2_500));
    }
    await shop.until(() => shop.world.sent.length === 3, 'three answers');
    await shop.stop();
    await shop.start();
    await shop.until(() => shop.bots().wechat?.().state === 'running', 'login');
    cara.says('余额');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(shop.world.sent).toHaveLength(3);
  });

  test('friend requests with the right word are accepted and greeted, others wait', async () => {
    shop = await openWechatShop({
      HUANCAI_WECHAT_ACCEPT_FRIENDS: 'true',
      HUANCAI_WECHAT_FRIEND_KEYWORD: '老照片',
    });
    await shop.until(() => shop.bots().wechat?.().state === 'running', 'login');
    const dora = new WechatPerson(shop.world, 'wxid_dora');
    const emil = new WechatPerson(shop.world, 'wxid_emil');
    shop.world.asksFriendship(emil.id, '卖茶叶的');
    shop.world.asksFriendship(dora.id, '想修老照片');
    await dora.sees((m) => /欢迎来到焕彩/.test(m.text), 'greeting');
    expect(shop.world.accepted).toEqual([`friend-${dora.id}`]);
    expect(emil.received).toHaveLength(0);
  });

  test('a contact with a new id: known again by the WeChat id where the puppet tells it', async () => {
    shop = await openWechatShop();
    const before = new WechatPerson(shop.world, '@session1-fred', { handle: 'fred1968' });
    before.says('余额');
    const known = await before.sees((m) => /客户码：/.test(m.text), 'code');
    const after = new WechatPerson(shop.world, '@session2-fred', { handle: 'fred1968' });
    after.says('余额');
    const again = await after.sees((m) => /客户码：/.test(m.text), 'code');
    expect(codeIn(again)).toBe(codeIn(known));
  });

  test('where it does not: the customer quotes the code, the operator joins the two', async () => {
    shop = await openWechatShop({
      WECHAT_OPERATOR_ID: operatorId,
      HUANCAI_PRICES_WELCOME_CREDITS: '2',
    });
    const operator = new WechatPerson(shop.world, operatorId);
    const before = new WechatPerson(shop.world, '@session1-gina');
    before.says('余额');
    const older = codeIn(await before.sees((m) => /客户码：/.test(m.text), 'code'));
    before.sendsPicture(await oldPhoto(902));
    await before.sees(isPicture, 'preview', 120_000);
    const after = new WechatPerson(shop.world, '@session2-gina');
    after.says('历史');
    await after.sees((m) => /还没有照片/.test(m.text), 'a stranger’s history');
    after.says(`我是 ${older}`);
    await after.sees((m) => /已请店家核对/.test(m.text), 'passed on');
    const question = await operator.sees((m) => m.text.includes(older), 'question');
    const newer = /客户 ([A-Z2-9]{8})/.exec(question.text)![1]!;
    operator.says('/join nobody nobody2');
    await operator.sees((m) => m.text !== '' && !m.text.includes('已合并'), 'refusal');
    operator.says(`/join ${older} ${newer}`);
    await operator.sees((m) => /已合并/.test(m.text), 'joined');
    await after.sees((m) => /核对好了/.test(m.text), 'told');
    after.says('余额');
    // One person, one welcome gift.
    await after.sees((m) => m.text.includes('您有 2 点') && codeIn(m) === older, 'old account');
    after.says('历史');
    await after.sees((m) => /预览已好/.test(m.text), 'old photos');
  });
});

function codeIn(message: WorldMessage): string {
  return /客户码：([A-Z2-9]{8})/.exec(message.text)![1]!;
}
