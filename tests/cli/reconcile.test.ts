import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { billDateAt, reconcileDay } from '../../src/cli/payments/reconcile-day.js';
import { createReconcileDuty, type OperatorNews } from '../../src/cli/payments/reconcile-duty.js';
import type { GatewayId } from '../../src/studio/ports/gateway.js';
import { requestRefund } from '../../src/studio/request-refund.js';
import { queueDue } from '../../src/studio/sweep/due.js';
import {
  type AlipayStand,
  alipayStand,
  type WechatpayStand,
  wechatpayStand,
} from '../payments/stands.js';
import { runCli } from '../support/cli.js';
import { keepingLogger } from '../support/quiet.js';
import { openShop, type Shop, shopConfig } from '../support/shop.js';

jest.setTimeout(120_000);

type Stand = AlipayStand | WechatpayStand;
const methodsOf = (id: 'alipay' | 'wechatpay') => ({ web: [id], telegram: [], wechat: [] });

/** A shop with orders at an emulated provider: `paid` and refunded as asked. */
async function open(stand: Stand) {
  const id = stand.gateway.id as 'alipay' | 'wechatpay';
  const shop = await openShop({
    gateway: stand.gateway,
    config: { ...shopConfig, methods: methodsOf(id) },
  });
  const someone = await shop.newCustomer();
  let wishes = 0;
  const order = async () => {
    wishes += 1;
    const wish = { key: `wish-${wishes}`, chat: someone.chat, method: id };
    const { id: orderId } = await shop.studio.topUp(someone.id, 'ten', wish);
    const charge = await shop.store.read.charges.ofOrder(orderId);
    return { orderId, chargeId: charge!.id };
  };
  const settle = async (chargeId: string) => {
    await shop.store.transaction(({ charges }) => charges.update(chargeId, { nextPollMs: 1 }));
    await queueDue(shop.context);
    await shop.drain();
  };
  const bought = async () => {
    const one = await order();
    stand.pay(one.chargeId);
    await settle(one.chargeId);
    return one;
  };
  const refunded = async (orderId: string, amountMinor: number) => {
    const wish = { key: `refund-${amountMinor}`, amountMinor, reason: 'test' };
    const refund = await shop.store.transaction((tables) =>
      requestRefund(tables, shop.context, orderId, wish),
    );
    await shop.drain();
    return refund.id;
  };
  return { shop, order, settle, bought, refunded, books: shop.store.read };
}

/** What the command line needs to reach the emulator with the shop's own data. */
function environment(shop: Shop, stand: AlipayStand): Record<string, string> {
  const key = path.join(shop.dir, 'app.pem');
  writeFileSync(key, stand.app.privatePkcs8);
  chmodSync(key, 0o600);
  return {
    HUANCAI_DATA_DIR: shop.dir,
    ALIPAY_APP_ID: '2021000100000001',
    ALIPAY_SELLER_ID: '2088000100000001',
    ALIPAY_PRIVATE_KEY_FILE: key,
    ALIPAY_PUBLIC_KEY: stand.alipay.public,
    ALIPAY_GATEWAY: stand.emulator.gatewayUrl,
  };
}

describe.each([
  ['alipay', () => alipayStand()],
  ['wechatpay', () => wechatpayStand()],
] as const)('%s', (_name, start) => {
  let stand: Stand;
  let desk: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    stand = await start();
    desk = await open(stand);
  });
  afterAll(async () => {
    await desk?.shop.close();
    await stand?.close();
  });

  test('payments and partial refunds match to the fen', async () => {
    const { bought, refunded, books } = desk;
    const { orderId } = await bought();
    await refunded(orderId, 300);
    await refunded(orderId, 200);
    expect(await reconcileDay(books, stand.gateway, stand.today())).toMatchObject({
      matched: 3,
      theirsMinor: 6400,
      oursMinor: 6400,
      differences: [],
    });
  });
});

describe('the command', () => {
  let stand: AlipayStand;
  let desk: Awaited<ReturnType<typeof open>>;
  beforeEach(async () => {
    stand = await alipayStand();
    desk = await open(stand);
  });
  afterEach(async () => {
    await desk.shop.close();
    await stand.close();
  });
  const run = (...args: string[]) =>
    runCli(['reconcile', ...args], { cwd: desk.shop.dir, env: environment(desk.shop, stand) });

  test('finds planted differences of every kind, changes nothing, and mends with --apply', async () => {
    const { shop, order, bought, refunded } = desk;
    const good = await bought();
    const missed = await order();
    const vanished = await bought();
    const wrong = await bought();
    const twice = await bought();
    const lost = await bought();
    const refundId = await refunded(lost.orderId, 100);
    // Moved there, our process died before it was booked.
    const asked = await bought();
    const pending = await shop.store.transaction((tables) =>
      requestRefund(tables, shop.context, asked.orderId, {
        ...{ key: 'r', amountMinor: 50, reason: 'x' },
      }),
    );
    // Paid when nothing asks any more: no poll came.
    stand.pay(missed.chargeId);
    const trade = stand.emulator.trades.get(asked.chargeId)!;
    trade.refunds.set(pending.id, { fen: 50, atMs: Date.now() });
    // By hand at the provider, and a sale that is not ours.
    trade.refunds.set('by_hand', { fen: 7, atMs: Date.now() });
    stand.emulator.billEdits = (lines) => [
      ...lines
        .filter((line) => !line.includes(vanished.chargeId) && !line.includes(refundId))
        .map((line) => (line.includes(wrong.chargeId) ? line.replaceAll('69.00', '68.99') : line)),
      lines.find((line) => line.includes(twice.chargeId))!,
      lines.find((line) => line.includes(good.chargeId))!.replaceAll(good.chargeId, 'strange_1'),
    ];
    const date = stand.today();
    const look = async (...args: string[]) => {
      const { code, records, err } = await run('--date', date, '--json', ...args);
      expect(err).not.toMatch(/BEGIN|sign=/);
      const found = records().filter((one) => one['type'] === 'difference');
      const name = (one: Record<string, unknown>) =>
        [one['kind'], one['movement'], one['outRefundNo'] ?? one['outTradeNo'], one['outcome']]
          .filter(Boolean)
          .join(' ');
      return { code, names: found.map(name).sort(), last: records().at(-1) };
    };
    const before = await look();
    expect(before.code).toBe(1);
    expect(before.names).toEqual(
      [
        `amount charge ${wrong.chargeId}`,
        'missingHere charge strange_1',
        `missingHere charge ${missed.chargeId}`,
        'missingHere refund by_hand',
        `missingHere refund ${pending.id}`,
        `missingThere charge ${vanished.chargeId}`,
        `missingThere refund ${refundId}`,
        `repeated charge ${twice.chargeId}`,
      ].sort(),
    );
    expect(await shop.store.read.orders.find(missed.orderId)).toMatchObject({ state: 'pending' });

    const applied = await look('--apply');
    expect(applied.code).toBe(1);
    expect(applied.names).toEqual(
      [
        `amount charge ${wrong.chargeId} kept`,
        'missingHere charge strange_1 kept',
        `missingHere charge ${missed.chargeId} repaired`,
        'missingHere refund by_hand quarantined',
        `missingHere refund ${pending.id} repaired`,
        `missingThere charge ${vanished.chargeId} confirmed`,
        `missingThere refund ${refundId} confirmed`,
        `repeated charge ${twice.chargeId} kept`,
      ].sort(),
    );
    expect(await shop.store.read.orders.find(missed.orderId)).toMatchObject({ state: 'fulfilled' });
    expect(await shop.store.read.refunds.find(pending.id)).toMatchObject({ state: 'succeeded' });
    const after = await look('--apply');
    // What our books lacked, asked for once each, by whoever ran the command.
    const logged = await shop.store.read.operatorLog.list(100);
    expect(
      logged.map((one) => [one.action, one.door, one.details['movement'], one.subject].join(' ')),
    ).toEqual(expect.arrayContaining(['repair cli charge strange_1']));
    expect(logged.map(({ subject }) => subject).sort()).toEqual(
      ['strange_1', missed.chargeId, asked.chargeId, asked.chargeId].sort(),
    );
    expect(after.names).not.toContain(`missingHere charge ${missed.chargeId} repaired`);
    expect(after.last).toMatchObject({ theirsMinor: expect.any(Number), left: 4 });
    const { code } = await runCli(['ledger', 'audit'], {
      cwd: shop.dir,
      env: { HUANCAI_DATA_DIR: shop.dir },
    });
    expect(code).toBe(0);
  });

  test('equal sides exit 0 with one line; a late bill exits 3; a wrong wish exits 2', async () => {
    await desk.bought();
    const date = stand.today();
    const equal = await run('--date', date, '--gateway', 'alipay');
    expect(equal).toMatchObject({ code: 0, out: expect.stringContaining('¥69.00') });
    stand.emulator.missingBills.add(date);
    const late = await run('--date', date, '--gateway', 'alipay');
    expect(late).toMatchObject({ code: 3, out: expect.stringContaining(date) });
    const tomorrow = await run('--date', billDateAt('alipay', Date.now() + 86_400_000));
    expect(tomorrow).toMatchObject({ code: 3, out: expect.stringContaining('no bill') });
    for (const args of [
      ['--date', '2026-02-30'],
      ['--gateway', 'paypal'],
      ['--gateway', 'wechatpay'],
    ])
      expect((await run(...args)).code).toBe(2);
  });
});

test('every morning once: differences are logged and told, a late bill is asked for again', async () => {
  const stand = await alipayStand();
  const { shop, order, bought } = await open(stand);
  try {
    await bought();
    const { chargeId } = await order();
    stand.pay(chargeId);
    const day = billDateAt('alipay' as GatewayId, Date.now());
    let now = Date.parse(`${day}T10:29:00+08:00`) + 86_400_000;
    const logger = keepingLogger();
    const told: OperatorNews[] = [];
    const duty = createReconcileDuty({
      ...{ store: shop.store, logger, gateways: [stand.gateway] },
      clock: { now: () => now },
      tellOperator: async (_key, news) => void told.push(news),
    });
    expect(await duty.run()).toBe(0);
    now += 120_000;
    stand.emulator.faults = () => 'http500';
    expect(await duty.run()).toBe(0);
    stand.emulator.faults = () => undefined;
    expect(await duty.run()).toBe(1);
    expect(told).toEqual([{ gateway: 'alipay', date: day, found: 1 }]);
    expect(logger.lines.filter((line) => line.event === 'reconciliation.difference')).toEqual([
      expect.objectContaining({ level: 'error' }),
    ]);
    expect(await duty.run()).toBe(0);
    // Three days later the days in between are caught up with.
    now += 3 * 86_400_000;
    expect(await duty.run()).toBe(3);
    // Reads only: nothing was booked.
    expect(await shop.store.read.charges.find(chargeId)).toMatchObject({ state: 'open' });
  } finally {
    await shop.close();
    await stand.close();
  }
});
