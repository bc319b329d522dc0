import { TelegramPerson } from '../emulators/telegram/person.js';
import type { TgMessage } from '../emulators/telegram/types.js';
import { oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

jest.setTimeout(240_000);

const desk = { id: -994_001, title: 'the shop', type: 'group' as const };
let nextId = 790_000;
let nextGroup = -100_600;
let shop: TelegramShop;

const newGroup = (more: { is_forum?: boolean; type?: 'group' } = {}) => ({
  ...{ id: --nextGroup, title: 'neighbours' },
  ...more,
});
const inGroup = (group: ReturnType<typeof newGroup>, id = ++nextId) =>
  new TelegramPerson(shop.emulator, { id, language: 'en', group });
const alone = (id = ++nextId) => new TelegramPerson(shop.emulator, { id, language: 'en' });
const isPreview = (m: TgMessage) => m.photo !== undefined;
const isBalance = (m: TgMessage) => /Credits: /.test(m.text ?? '');
const settle = () => new Promise((resolve) => setTimeout(resolve, 1_500));

beforeAll(async () => {
  const env = { TELEGRAM_OPERATOR_CHAT_ID: String(desk.id) };
  shop = await openTelegramShop(env, { privacy: true });
});
afterAll(() => shop.close());

describe('a photo that somebody else sent', () => {
  test('is coloured for who replies to it with our name', async () => {
    const group = newGroup();
    const [anna, ben] = [inGroup(group), inGroup(group)];
    const photo = anna.sendsPhoto(await oldPhoto(801));
    await settle();
    expect(anna.received).toHaveLength(0);
    ben.says('@huancai_bot', { reply_to_message: photo });
    await ben.sees(isPreview, 'preview', 120_000);
    ben.presses(/^HD/);
    await shop.emulator.until(() => shop.emulator.invoices.size > 0, 'an invoice for the asker');
  });

  test('as a file, with a style; a command in reply to it stays a command', async () => {
    const group = newGroup();
    const [anna, ben] = [inGroup(group), inGroup(group)];
    const photo = anna.sendsFile(await oldPhoto(802), 'p.jpg', 'application/octet-stream');
    ben.says('/credits@huancai_bot', { reply_to_message: photo });
    await ben.sees(isBalance, 'balance');
    expect(ben.received.some(isPreview)).toBe(false);
    ben.says('@huancai_bot building', { reply_to_message: photo });
    await ben.sees(isPreview, 'preview', 120_000);
  });
});

describe('a forum', () => {
  test('everything about a photo is said in its topic', async () => {
    const cara = inGroup(newGroup({ is_forum: true }));
    const topic = { message_thread_id: 7, is_topic_message: true };
    cara.sendsPhoto(await oldPhoto(803), { caption: '@huancai_bot', ...topic });
    await cara.sees(isPreview, 'preview', 120_000);
    cara.says('/id@huancai_bot', topic);
    cara.says('/credits@huancai_bot', topic);
    await cara.sees(isBalance, 'balance');
    expect(cara.received.length).toBeGreaterThanOrEqual(3);
    for (const { message_thread_id: thread } of cara.received) expect(thread).toBe(7);
    const preview = cara.received.find(isPreview)!;
    const pressed = cara.callback({ ...preview, ...topic }, 'help');
    await shop.emulator.until(() => shop.emulator.callbackAnswers.has(pressed), 'release');
    await settle();
    expect(cara.received.every((m) => m.message_thread_id === 7)).toBe(true);
  });

  test('the thread of a reply is no topic', async () => {
    const dora = inGroup(newGroup());
    dora.says('/credits@huancai_bot', { message_thread_id: 12 });
    await dora.sees(isBalance, 'balance');
  });

  test('what a closed General does not take is said to the person alone', async () => {
    const group = newGroup({ is_forum: true });
    const emil = inGroup(group);
    const emilAlone = alone(emil.user.id);
    shop.emulator.closedTopics.add(`${group.id}:1`);
    emil.sendsPhoto(await oldPhoto(804), { caption: '@huancai_bot' });
    await emilAlone.sees(isPreview, 'preview', 120_000);
    expect(emilAlone.received.some((m) => /may not write/.test(m.text ?? ''))).toBe(true);
    expect(emil.received).toHaveLength(0);
    // The topic is open again: nothing keeps us away from it.
    shop.emulator.closedTopics.clear();
    emil.says('/credits@huancai_bot');
    await emil.sees(isBalance, 'balance');
  });
});

describe('a group becomes a supergroup', () => {
  test('what was under way arrives there, and talks go on', async () => {
    const group = newGroup({ type: 'group' });
    const fred = inGroup(group);
    fred.sendsPhoto(await oldPhoto(805), { caption: '@huancai_bot' });
    const to = newGroup();
    shop.emulator.migrate(fred.chat, fred.user, to.id);
    const later = inGroup(to, fred.user.id);
    await later.sees(isPreview, 'preview', 120_000);
    later.says('/credits@huancai_bot');
    await later.sees(isBalance, 'balance');
  });

  test('nobody told us: the refusal does', async () => {
    const group = newGroup({ type: 'group' });
    const gina = inGroup(group);
    const to = inGroup(newGroup(), gina.user.id);
    shop.emulator.migrated.set(group.id, to.chat.id);
    gina.says('/credits@huancai_bot');
    await to.sees(isBalance, 'balance');
  });

  test('the operator’s own group stays the operator’s, after a restart too', async () => {
    const hugo = inGroup(desk as never);
    hugo.says('/help');
    await hugo.sees((m) => /\/today/.test(m.text ?? ''), 'the desk');
    const to = newGroup();
    shop.emulator.migrate(hugo.chat, hugo.user, to.id);
    const later = inGroup(to, hugo.user.id);
    later.says('/help');
    await later.sees((m) => /\/today/.test(m.text ?? ''), 'the desk');
    await shop.stop();
    await shop.start();
    later.says('/today');
    await later.sees(
      (m) => /Photos|photos/.test(m.text ?? '') && !/\/today/.test(m.text ?? ''),
      'today',
    );
    const customer = alone();
    customer.says('/paysupport where is my file');
    const asked = await later.sees((m) => /where is my file/.test(m.text ?? ''), 'the question');
    later.says('on its way', { reply_to_message: asked });
    await customer.sees((m) => /on its way/.test(m.text ?? ''), 'the answer');
  });
});

describe('who speaks as a chat', () => {
  test('an anonymous admin is answered, and told once what cannot be', async () => {
    const ida = inGroup(newGroup());
    const as = {
      from: { ...ida.user, id: 1_087_968_824, is_bot: true, username: 'GroupAnonymousBot' },
      sender_chat: { id: ida.chat.id, type: 'supergroup' },
    };
    ida.sendsPhoto(await oldPhoto(806), { caption: '@huancai_bot', ...as });
    await ida.sees(isPreview, 'preview', 120_000);
    ida.sendsPhoto(await oldPhoto(807), { caption: '@huancai_bot', ...as });
    await shop.emulator.until(() => ida.received.filter(isPreview).length === 2, 'both', 120_000);
    expect(ida.received.filter((m) => /anonymously/.test(m.text ?? ''))).toHaveLength(1);
  });

  test('a channel’s post in its group is coloured when it names us; other bots are not heard', async () => {
    const jan = inGroup(newGroup());
    const bot = { ...jan.user, id: 5_151, is_bot: true, username: 'another_bot' };
    jan.says('/credits@huancai_bot', { from: bot });
    const telegram = { id: 777_000, is_bot: false, first_name: 'Telegram' };
    const as = { from: telegram, sender_chat: { id: -100_777, type: 'channel' } };
    jan.sendsPhoto(await oldPhoto(808), { caption: '@huancai_bot', ...as });
    await jan.sees(isPreview, 'preview', 120_000);
    expect(jan.received.some(isBalance)).toBe(false);
  });
});

test('privacy mode shows one photo of an album: the group is told how the others come', async () => {
  const kim = inGroup(newGroup());
  kim.sendsAlbum([await oldPhoto(809), await oldPhoto(810)], '@huancai_bot');
  await kim.sees(isPreview, 'preview', 120_000);
  await kim.sees((m) => /one photo of this album only/.test(m.text ?? ''), 'the hint');
  expect(kim.received.filter(isPreview)).toHaveLength(1);
});

describe('what no photo is', () => {
  test.each([
    ['auto-delete', { message_auto_delete_timer_changed: { message_auto_delete_time: 86_400 } }],
    ['pinned', { pinned_message: { message_id: 1, date: 0, chat: { id: 1, type: 'private' } } }],
    ['topic', { forum_topic_created: { name: 'old photos', icon_color: 1 } }],
    ['gift', { gift: { gift: { id: '1' } } }],
    ['unique gift', { unique_gift: { gift: { name: 'x' }, origin: 'transfer' } }],
    ['background', { chat_background_set: { type: { type: 'fill' } } }],
    ['refund', { refunded_payment: { currency: 'XTR', total_amount: 1, invoice_payload: 'x' } }],
    ['a new member', { new_chat_members: [{ id: 1, is_bot: false, first_name: 'x' }] }],
    ['a title', { new_chat_title: 'x' }],
    ['a call', { video_chat_started: {} }],
    ['boost', { boost_added: { boost_count: 1 } }],
    ['write access', { write_access_allowed: {} }],
    ['one that is not invented yet', { holo_meeting_started: {} }],
  ])('a service message is met with silence: %s', async (_, content) => {
    const lea = alone();
    const message = shop.emulator.newMessage(lea.chat, lea.user, content as never);
    shop.emulator.push('message', message);
    lea.says('/credits');
    await lea.sees(isBalance, 'balance');
    expect(lea.received).toHaveLength(1);
  });

  test.each([
    ['sticker', { sticker: { file_id: 'x' } }],
    ['voice', { voice: { file_id: 'x', duration: 1 } }],
    ['video', { video: { file_id: 'x', duration: 1 }, caption: 'colour this' }],
    ['place', { location: { latitude: 1, longitude: 1 } }],
    ['poll', { poll: { id: '1', question: 'x' } }],
    ['PDF', { document: { file_id: 'x', file_name: 'x.pdf', mime_type: 'application/pdf' } }],
    ['something newer than we are', {}],
  ])('unknown content gets one line: %s', async (_, content) => {
    const max = alone();
    shop.emulator.push('message', shop.emulator.newMessage(max.chat, max.user, content as never));
    const line = await max.sees((m) => m.text !== undefined, 'a line');
    expect(line.text).toMatch(/^I can colour photos only\. [^\n]+$/);
    expect(max.received).toHaveLength(1);
  });

  test('ten videos sent in one go get one line', async () => {
    const nora = alone();
    for (let i = 0; i < 10; i++) {
      const content = { media_group_id: 'videos', video: { file_id: `x${i}` } };
      shop.emulator.push(
        'message',
        shop.emulator.newMessage(nora.chat, nora.user, content as never),
      );
    }
    nora.says('/credits');
    await nora.sees(isBalance, 'balance');
    expect(nora.received).toHaveLength(2);
  });
});
