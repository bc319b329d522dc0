import { NotificationRejected } from '../../src/studio/errors/index.js';
import type { RawNotification } from '../../src/studio/ports/gateway.js';
import { chargeRequest } from '../contracts/gateway-contract.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { openShop, type Shop } from '../support/shop.js';
import { expectRefusedOnce } from './refused-once.js';
import { starsStand } from './stands.js';

const raw = (value: unknown) => ({
  headers: {},
  via: 'chat' as const,
  body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
});
const payment = {
  payerId: '777001',
  invoicePayload: 'ch_1',
  currency: 'XTR',
  totalAmount: 100,
  chargeId: 'stars_1',
  paidAtMs: 1_700_000_000_000,
};

describe('telegram stars', () => {
  let stand: Awaited<ReturnType<typeof starsStand>>;
  beforeAll(async () => {
    stand = await starsStand();
  });
  afterAll(() => stand.close());

  test('a successful_payment names the charge exactly, and the same key when repeated', async () => {
    const first = await stand.gateway.openNotification(raw(payment));
    expect(first).toMatchObject({
      kind: 'charge',
      charge: { outTradeNo: 'ch_1', state: 'paid', amountMinor: 100, currency: 'XTR' },
    });
    expect((await stand.gateway.openNotification(raw(payment))).key).toBe(first.key);
  });

  describe('what is not a payment, or not said by Telegram', () => {
    let shop: Shop;
    beforeAll(async () => {
      shop = await openShop({ gateway: stand.gateway });
    });
    afterAll(() => shop.close());
    const said = (over: Record<string, unknown>) => raw({ ...payment, ...over });
    const text = JSON.stringify(payment);
    const forgeries: Record<string, () => RawNotification> = {
      'a true one, from the open internet': () => ({ ...raw(payment), via: undefined }),
      'the same with a header that claims the chat': () => ({
        headers: { via: 'chat', 'x-telegram-bot-api-secret-token': 'x' },
        body: raw(payment).body,
      }),
      'the same with another origin named': () => ({ ...raw(payment), via: 'http' as 'chat' }),
      'an empty body': () => raw(''),
      'not JSON': () => raw('paid'),
      'truncated JSON': () => raw(text.slice(0, -5)),
      'a form': () => raw('invoicePayload=ch_1&totalAmount=100&currency=XTR'),
      null: () => raw('null'),
      'a number': () => raw('100'),
      'a text': () => raw('"paid"'),
      'an array': () => raw([payment]),
      'nothing in it': () => raw({}),
      'no payload': () => said({ invoicePayload: undefined }),
      'payload an object': () => said({ invoicePayload: {} }),
      'payload an array': () => said({ invoicePayload: ['ch_1'] }),
      'payload empty': () => said({ invoicePayload: '' }),
      'payload endless': () => said({ invoicePayload: 'c'.repeat(5_000) }),
      'no charge id': () => said({ chargeId: undefined }),
      'charge id empty': () => said({ chargeId: '' }),
      'charge id a number': () => said({ chargeId: 1 }),
      'charge id with a line break': () => said({ chargeId: 'stars\n1' }),
      'charge id endless': () => said({ chargeId: 'c'.repeat(5_000) }),
      'another currency': () => said({ currency: 'USD' }),
      'currency in lower case': () => said({ currency: 'xtr' }),
      'no currency': () => said({ currency: undefined }),
      'amount as text': () => said({ totalAmount: '100' }),
      'amount with a fraction': () => said({ totalAmount: 0.5 }),
      'amount beyond integers': () => said({ totalAmount: 2 ** 60 }),
      'amount nothing': () => said({ totalAmount: 0 }),
      'amount negative': () => said({ totalAmount: -100 }),
      'amount missing': () => said({ totalAmount: undefined }),
      'amount in exponent form, as text': () => said({ totalAmount: '1e2' }),
      'time as text': () => said({ paidAtMs: 'yesterday' }),
      'time before Telegram': () => said({ paidAtMs: -1 }),
    };

    test.each(Object.keys(forgeries))('refused: %s', async (name) => {
      const one = forgeries[name]!();
      await expect(stand.gateway.openNotification(one)).rejects.toBeInstanceOf(
        NotificationRejected,
      );
      await expectRefusedOnce(shop, 'stars', one, /777001|stars_1|ch_1|passwd/);
    });

    test('there are more than thirty', () => {
      expect(Object.keys(forgeries).length).toBeGreaterThan(30);
    });
  });

  test('without a chat the invoice is a link, good for a QR code', async () => {
    const offer = await stand.gateway.createCharge(
      chargeRequest({ nowMs: Date.now(), currency: 'XTR' }),
    );
    expect(offer.qr).toMatch(/^https:\/\/t\.me\/\$/);
  });

  test('an invoice goes into its topic; where a group does not take it, it is a link', async () => {
    const group = { id: -100_900, title: 'forum', is_forum: true };
    const asker = new TelegramPerson(stand.emulator, { id: 777_900, group });
    const request = (topic: number) =>
      chargeRequest({
        ...{ nowMs: Date.now(), currency: 'XTR', telegramChatId: `${group.id}/${topic}` },
      });
    expect(await stand.gateway.createCharge(request(7))).toEqual({ shownInChat: true });
    expect(asker.received.at(-1)).toMatchObject({ message_thread_id: 7, invoice: {} });
    stand.emulator.closedTopics.add(`${group.id}:8`);
    const offer = await stand.gateway.createCharge(request(8));
    expect(offer.appUrl).toMatch(/^https:\/\/t\.me\//);
    expect(asker.received).toHaveLength(1);
  });

  test('more transactions than a page holds are all found', async () => {
    const charge = chargeRequest({ nowMs: Date.now(), currency: 'XTR', telegramChatId: '777001' });
    for (let i = 0; i < 250; i++)
      stand.emulator.stars.push({ id: `other_${i}`, amount: 1, date: 1, source: { type: 'user' } });
    await stand.gateway.createCharge(charge);
    expect((await stand.gateway.queryCharge(charge.outTradeNo)).state).toBe('absent');
    stand.pay(charge.outTradeNo);
    expect(await stand.gateway.queryCharge(charge.outTradeNo)).toMatchObject({
      state: 'paid',
      amountMinor: charge.amountMinor,
    });
  });

  test('a refund whose answer was lost is asked again and moves money once', async () => {
    const charge = chargeRequest({ nowMs: Date.now(), currency: 'XTR', telegramChatId: '777001' });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const { providerId } = await stand.gateway.queryCharge(charge.outTradeNo);
    const refund = {
      outRefundNo: 'rf_stars',
      outTradeNo: charge.outTradeNo,
      providerId: providerId!,
      refundMinor: charge.amountMinor,
      totalMinor: charge.amountMinor,
      currency: 'XTR' as const,
      telegramUserId: '777001',
    };
    stand.emulator.faults = (method) => (method === 'refundStarPayment' ? 'replyLost' : undefined);
    await expect(stand.gateway.refund(refund)).rejects.toMatchObject({ code: 'GATEWAY_UNKNOWN' });
    stand.emulator.faults = () => undefined;
    expect((await stand.gateway.refund(refund)).state).toBe('succeeded');
    expect(stand.emulator.stars.filter((t) => t.receiver && t.id === providerId)).toHaveLength(1);
  });

  test.each(['lost', 'html502', 'http500', 'systemError', 'wrong401'] as const)(
    'an answer that is %s is unknown and shows no token',
    async (fault) => {
      stand.emulator.faults = () => fault;
      const error = await stand.gateway.queryCharge('ch_any').catch((e: unknown) => e);
      stand.emulator.faults = () => undefined;
      expect(error).toMatchObject({ code: 'GATEWAY_UNKNOWN' });
      expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toContain(
        stand.emulator.token.slice(11),
      );
    },
  );

  test('the money goes back to who paid, whoever ordered', async () => {
    const person = new TelegramPerson(stand.emulator, { id: 777002 });
    const charge = chargeRequest({ nowMs: Date.now(), currency: 'XTR', telegramChatId: '777001' });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const { providerId } = await stand.gateway.queryCharge(charge.outTradeNo);
    for (const telegramUserId of [String(person.user.id), undefined])
      await stand.gateway.refund({
        outRefundNo: 'rf_x',
        outTradeNo: charge.outTradeNo,
        providerId: providerId!,
        refundMinor: charge.amountMinor,
        totalMinor: charge.amountMinor,
        currency: 'XTR',
        ...(telegramUserId ? { telegramUserId } : {}),
      });
    const back = stand.emulator.stars.filter((t) => t.receiver && t.id === providerId);
    expect(back).toMatchObject([{ receiver: { user: { id: 777001 } } }]);
  });
});
