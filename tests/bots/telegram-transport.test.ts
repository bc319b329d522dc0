import { TelegramPerson } from '../emulators/telegram/person.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

jest.setTimeout(240_000);

const operatorId = 993_001;
let nextId = 780_000;
let shop: TelegramShop;
const person = () => new TelegramPerson(shop.emulator, { id: ++nextId, language: 'en' });
const noFault = () => undefined;
const count = (method: RegExp) => shop.emulator.calls.filter((c) => method.test(c.method)).length;
const isBalance = (m: { text?: string }) => /Credits: /.test(m.text ?? '');

async function readiness(): Promise<{ code: number; status: string; telegram: unknown }> {
  const answer = await fetch(`${shop.url()}/readyz`);
  const { status, checks } = (await answer.json()) as {
    status: string;
    checks: Record<string, unknown>;
  };
  return { code: answer.status, status, telegram: checks['telegram'] };
}

async function untilReady(status: string) {
  for (;;) {
    const now = await readiness();
    if (now.status === status) return now;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

beforeAll(async () => {
  shop = await openTelegramShop({ TELEGRAM_OPERATOR_CHAT_ID: String(operatorId) });
  await shop.emulator.until(() => shop.emulator.profile.size === 6, 'profile');
});
afterAll(() => shop.close());
afterEach(() => {
  shop.emulator.faults = noFault;
});

test('a poll that is swallowed is abandoned; /readyz says so and goes on serving', async () => {
  const anna = person();
  expect((await untilReady('ready')).telegram).toEqual({ ok: true, detail: 'running' });
  shop.emulator.faults = () => 'swallowed';
  anna.says('/credits');
  const deaf = await untilReady('degraded');
  expect(deaf).toEqual({
    ...{ code: 200, status: 'degraded' },
    telegram: { ok: false, detail: 'CHANNEL_AWAY' },
  });
  shop.emulator.faults = noFault;
  await anna.sees(isBalance, 'balance', 90_000);
  await untilReady('ready');
  expect(anna.received).toHaveLength(1);
});

test('an answer that is swallowed is said again, and holds nobody else up', async () => {
  const [anna, ben] = [person(), person()];
  let swallowed = 0;
  shop.emulator.faults = (method) =>
    method === 'sendMessage' && swallowed++ === 0 ? 'swallowed' : undefined;
  anna.says('/credits');
  await shop.emulator.until(() => swallowed > 0, 'the swallowed answer');
  ben.says('/credits');
  await ben.sees(isBalance, 'balance of the other');
  expect(anna.received).toHaveLength(0);
  await anna.sees(isBalance, 'balance', 90_000);
});

test('a wrong 401 is outlived without a restart, and the operator hears of it', async () => {
  const cara = person();
  const operator = new TelegramPerson(shop.emulator, { id: operatorId, language: 'en' });
  let refusals = 0;
  shop.emulator.faults = () => {
    refusals += 1;
    return 'wrong401';
  };
  cara.says('/credits');
  const refused = await untilReady('degraded');
  expect(refused).toMatchObject({ code: 200, telegram: { detail: 'TELEGRAM_REFUSED' } });
  expect(refusals).toBeGreaterThan(0);
  shop.emulator.faults = noFault;
  await cara.sees(isBalance, 'balance', 90_000);
  await operator.sees((m) => /connected again/.test(m.text ?? ''), 'word to the operator');
  expect(shop.logs.some((line) => line.includes('telegram.tokenRefused'))).toBe(true);
});

test('a wrong 401 for an answer does not lose the answer', async () => {
  const dora = person();
  let left = 1;
  shop.emulator.faults = (method) =>
    method === 'sendMessage' && left-- > 0 ? 'wrong401' : undefined;
  dora.says('/credits');
  await dora.sees(isBalance, 'balance');
  expect(dora.received).toHaveLength(1);
});

test('beside another program it goes on trying, and tells the operator', async () => {
  const hanna = person();
  const operator = new TelegramPerson(shop.emulator, { id: operatorId, language: 'en' });
  const profileCalls = count(/^setMy/);
  let conflicts = 0;
  shop.emulator.faults = (method) => {
    if (method !== 'getUpdates') return undefined;
    conflicts += 1;
    return 'conflict';
  };
  await operator.sees((m) => /Another program/.test(m.text ?? ''), 'word to the operator');
  await shop.emulator.until(() => conflicts >= 2, 'another try', 90_000);
  shop.emulator.faults = noFault;
  hanna.says('/credits');
  await hanna.sees(isBalance, 'balance', 90_000);
  expect(count(/^setMy/)).toBe(profileCalls);
});

test('one chat that must wait holds up nobody else', async () => {
  const [emil, fred] = [person(), person()];
  shop.emulator.slowedUntilMs.set(emil.chat.id, Date.now() + 20_000);
  emil.says('/credits');
  await shop.emulator.until(() => count(/^sendMessage$/) > 0 && emil.messages.length > 0, 'words');
  const before = count(/^sendMessage$/);
  fred.says('/credits');
  await fred.sees(isBalance, 'balance of the other');
  expect(emil.received).toHaveLength(0);
  await emil.sees(isBalance, 'balance', 90_000);
  expect(emil.received).toHaveLength(1);
  expect(count(/^sendMessage$/)).toBeGreaterThan(before);
});

describe('a profile that cannot be set', () => {
  let other: TelegramShop;
  let isRefused = true;
  let refusals = 0;

  beforeAll(async () => {
    other = await openTelegramShop(
      {},
      {
        faults: (method) => {
          if (!isRefused || method !== 'setMyShortDescription') return undefined;
          refusals += 1;
          return refusals % 2 ? 'http500' : 'systemError';
        },
      },
    );
  });
  afterAll(() => other.close());

  test('does not keep the shop closed, is set later, and once', async () => {
    const gina = new TelegramPerson(other.emulator, { id: ++nextId, language: 'en' });
    await other.emulator.until(() => refusals > 0, 'a refusal');
    gina.says('/credits');
    await gina.sees(isBalance, 'balance');
    expect(other.emulator.profile.has('shortDescription:')).toBe(false);
    isRefused = false;
    await other.emulator.until(() => other.emulator.profile.size === 6, 'profile', 90_000);
    const calls = () => other.emulator.calls.filter((c) => /^setMy/.test(c.method)).length;
    const before = calls();
    await other.stop();
    await other.start();
    gina.says('/credits');
    await other.emulator.until(() => gina.received.length === 2, 'balance after the restart');
    expect(calls()).toBe(before);
  });
});
