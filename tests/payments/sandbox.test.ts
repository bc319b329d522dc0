import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createSandboxGateway, sandboxAllowed } from '../../src/payments/sandbox-gateway.js';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import { chargeRequest, gatewayContract } from '../contracts/gateway-contract.js';

const folders: string[] = [];
afterAll(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
});

function folder(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-sandbox-'));
  folders.push(dir);
  return dir;
}

function open(dir = folder(), aheadMs = () => 0) {
  const clock = { now: () => Date.now() + aheadMs() };
  const baseUrl = () => 'http://shop';
  return createSandboxGateway({ clock }, { dir, notifyKey: 'a key of this shop', baseUrl });
}

const request = (over = {}) => chargeRequest({ nowMs: Date.now(), ...over });

gatewayContract('sandbox', async () => {
  const gateway = open();
  return {
    gateway,
    scan: () => {},
    pay: async (no) => {
      await gateway.pay(no).catch(() => {});
      return (await gateway.queryCharge(no)).state === 'paid';
    },
    balance: async (no) => {
      const lines = await gateway.downloadBill(toShanghaiTime(Date.now()).slice(0, 10));
      const mine = lines.filter((line) => line.outTradeNo === no);
      const signed = mine.map(
        ({ kind, amountMinor }) => (kind === 'charge' ? 1 : -1) * amountMinor,
      );
      return signed.reduce((sum, one) => sum + one, 0);
    },
    today: () => toShanghaiTime(Date.now()).slice(0, 10),
    capabilities: { partialRefunds: true, unopened: 'open', closed: 'closed' },
    close: async () => {},
  };
});

test('its QR code leads to the till, and back to the trade', async () => {
  const gateway = open();
  const charge = request();
  const { qr = '' } = await gateway.createCharge(charge);
  expect(qr).toBe(`http://shop/sandbox/${charge.outTradeNo}`);
  expect(gateway.tradeOf(qr)).toBe(charge.outTradeNo);
  expect(gateway.tradeOf('https://qr.alipay.com/x')).toBeUndefined();
  expect(await gateway.look(charge.outTradeNo)).toEqual({ amountFen: 990, state: 'open' });
});

test('a restart forgets nothing, and a line cut by a power failure harms nothing', async () => {
  const dir = folder();
  const charge = request();
  await open(dir).createCharge(charge);
  const [name = ''] = readdirSync(dir);
  expect(statSync(path.join(dir, name)).mode & 0o077).toBe(0);
  appendFileSync(path.join(dir, name), '{"kind":"paid","atM');
  expect((await open(dir).queryCharge(charge.outTradeNo)).state).toBe('open');
  await open(dir).pay(charge.outTradeNo);
  const status = await open(dir).queryCharge(charge.outTradeNo);
  expect(status).toMatchObject({ state: 'paid', amountMinor: 990 });
});

test('two processes that pay and close at once agree on one outcome', async () => {
  const dir = folder();
  for (let round = 0; round < 25; round += 1) {
    const charge = request();
    const [one, two] = [open(dir), open(dir)];
    await one.createCharge(charge);
    await Promise.allSettled([one.pay(charge.outTradeNo), two.closeCharge(charge.outTradeNo)]);
    const states = await Promise.all([one, two].map((g) => g.queryCharge(charge.outTradeNo)));
    expect(new Set(states.map(({ state }) => state)).size).toBe(1);
    expect(['paid', 'closed']).toContain(states[0]?.state);
  }
});

test('an expired or closed trade takes no money; paying twice pays once', async () => {
  let aheadMs = 0;
  const gateway = open(folder(), () => aheadMs);
  const late = request();
  await gateway.createCharge(late);
  aheadMs = 3_600_000;
  await expect(gateway.pay(late.outTradeNo)).rejects.toMatchObject({ providerCode: 'CLOSED' });
  expect((await gateway.queryCharge(late.outTradeNo)).state).toBe('closed');
  aheadMs = 0;
  const charge = request();
  await gateway.createCharge(charge);
  await gateway.pay(charge.outTradeNo);
  const first = await gateway.queryCharge(charge.outTradeNo);
  await gateway.pay(charge.outTradeNo);
  expect(await gateway.queryCharge(charge.outTradeNo)).toEqual(first);
  await expect(gateway.pay('ch_nobody_made')).rejects.toMatchObject({ providerCode: 'ABSENT' });
});

test('the same number with another amount is refused', async () => {
  const gateway = open();
  const charge = request();
  await gateway.createCharge(charge);
  const other = gateway.createCharge({ ...charge, amountMinor: 1 });
  await expect(other).rejects.toMatchObject({ providerCode: 'PARAMETERS_DIFFER' });
});

test('a number that is a path reaches no file', async () => {
  const gateway = open();
  expect((await gateway.queryCharge('../../etc/passwd')).state).toBe('absent');
  await expect(gateway.pay('../../../tmp/x')).rejects.toMatchObject({ providerCode: 'ABSENT' });
});

describe('notifications', () => {
  async function paid() {
    const gateway = open();
    const charge = request();
    await gateway.createCharge(charge);
    return { gateway, raw: await gateway.pay(charge.outTradeNo), charge };
  }

  test('its own opens; told again it is the same notification', async () => {
    const { gateway, raw, charge } = await paid();
    const opened = await gateway.openNotification(raw);
    expect(opened).toMatchObject({ kind: 'charge', charge: { outTradeNo: charge.outTradeNo } });
    const again = await gateway.openNotification(await gateway.pay(charge.outTradeNo));
    expect(again.key).toBe(opened.key);
  });

  const rejected = { code: 'NOTIFICATION_REJECTED' };
  test('a changed amount, a foreign key, no signature and old news are rejected', async () => {
    const { gateway, raw } = await paid();
    const text = Buffer.from(raw.body).toString().replace('990', '1');
    await expect(
      gateway.openNotification({ ...raw, body: Buffer.from(text) }),
    ).rejects.toMatchObject(rejected);
    await expect(gateway.openNotification({ headers: {}, body: raw.body })).rejects.toMatchObject(
      rejected,
    );
    const foreign = createSandboxGateway(
      { clock: { now: () => Date.now() } },
      { dir: folder(), notifyKey: 'another key', baseUrl: () => '' },
    );
    await expect(foreign.openNotification(raw)).rejects.toMatchObject(rejected);
    const later = open(folder(), () => 600_000);
    await expect(later.openNotification(raw)).rejects.toMatchObject(rejected);
  });
});

test('beside a real gateway it is off unless named', () => {
  const alone = sandboxAllowed({ realGateways: [], named: false });
  const beside = sandboxAllowed({ realGateways: ['alipay', 'wechatpay'], named: false });
  const named = sandboxAllowed({ realGateways: ['alipay'], named: true });
  expect(alone).toMatchObject({
    allowed: true,
    reason: { messageKey: 'payments.sandbox.onAlone' },
  });
  expect(beside).toMatchObject({ allowed: false, reason: { messageKey: 'payments.sandbox.off' } });
  expect(beside.reason.params).toEqual({ gateways: 'alipay, wechatpay' });
  expect(named).toMatchObject({
    allowed: true,
    reason: { messageKey: 'payments.sandbox.onNamed' },
  });
});
