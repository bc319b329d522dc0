import { sql } from 'kysely';
import {
  type DatabaseConfig,
  openDatabase,
  openMigratedDatabase,
} from '../../src/storage/database.js';
import { migrate } from '../../src/storage/migrate.js';
import { migrations } from '../../src/storage/migrations/index.js';
import { createStore } from '../../src/storage/store.js';
import { createOperator } from '../../src/studio/operator.js';
import { type Actor, operatorActions } from '../../src/studio/ports/operator.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';
import { wallClock } from '../support/quiet.js';
import { clerk } from '../support/shop.js';

const chat: Actor = { door: 'chat', name: 'telegram' };
const console: Actor = { door: 'console', name: 'front desk' };

/** The driver's error may be of another realm: its words count. */
const complaint = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: { message: string }) => error.message,
  );

/** One port for every door, and what it changes in one transaction with its line in the log. */
export function operatorContract(
  prepare: () => Promise<Partial<DatabaseConfig>>,
  fresh: () => Promise<DatabaseConfig>,
): void {
  let shop: BankShop;
  beforeEach(async () => {
    shop = await openBankShop({ database: await prepare() });
  });
  afterEach(() => shop.close());

  const office = () => createOperator(shop.context);
  const codes = { credits: 3, count: 2, batch: 'spring', expiresMs: null };
  const linesOf = async () =>
    (await office().log(100)).map(({ door, actor, action, subject, details }) => ({
      ...{ by: `${door}:${actor}`, action, subject, details },
    }));

  async function boughtTen() {
    const someone = await shop.newCustomer();
    const order = await shop.topUp(someone);
    shop.bank.pay(order.chargeId);
    await shop.tick(3_000);
    return { someone, order };
  }

  test('every call that changes something leaves a line that says who and what', async () => {
    const { someone, order } = await boughtTen();
    const newer = await shop.newCustomer();
    const finding = { gateway: 'alipay', outTradeNo: 'x', reason: 'r', status: {} } as const;
    await shop.store.transaction(({ inbox }) =>
      inbox.quarantine({ ...finding, id: 'ev_1', key: 'k', atMs: 1, resolvedMs: null }),
    );
    const photo = await shop.submit(someone);
    await shop.queue.add({ name: 'intake', key: 'stray', payload: { photoId: photo.id } } as never);
    const desk = office();
    const { id: refundId } = await desk.refund(chat, order.id, { key: 'r', reason: 'private' });
    await desk.pauseIntake(clerk, true);
    await desk.answer(chat, someone.customerCode, 'words for one person', 'q1');
    await desk.join(console, someone.customerCode.toLowerCase(), newer.customerCode);
    const made = await desk.createCodes(clerk, codes);
    await desk.resolveQuarantine(clerk, 'ev_1');
    await desk.beginBroadcast(chat, 'web', 0, 'b1');
    expect(await desk.changeJob(console, 'cancel', 'stray')).toBe(true);
    await desk.erase(clerk, someone.id);
    const [customerId, joined] = [someone.id, newer.id];
    const lines = await linesOf();
    expect(lines).toEqual(
      expect.arrayContaining([
        {
          ...{ by: 'chat:telegram', action: 'refund', subject: order.id },
          details: { orderId: order.id, refundId, amountMinor: 6_900, credits: 10 },
        },
        { by: 'cli:clerk', action: 'intake', subject: '', details: { paused: true } },
        { by: 'chat:telegram', action: 'answer', subject: customerId, details: { customerId } },
        {
          ...{ by: 'console:front desk', action: 'join', subject: customerId },
          details: { customerId, joined },
        },
        { by: 'cli:clerk', action: 'erase', subject: customerId, details: { customerId } },
        {
          ...{ by: 'cli:clerk', action: 'codes', subject: 'spring' },
          details: { credits: 3, count: 2 },
        },
        { by: 'cli:clerk', action: 'quarantine', subject: 'ev_1', details: { id: 'ev_1' } },
        {
          ...{ by: 'chat:telegram', action: 'broadcast', subject: '' },
          details: { channel: 'web', chats: 2 },
        },
        {
          ...{ by: 'console:front desk', action: 'job', subject: 'stray' },
          details: { wanted: 'cancel', key: 'stray' },
        },
      ]),
    );
    // Differences of bills are mended by `huancai reconcile --apply`: its own suite looks at that.
    const others = operatorActions.filter((action) => action !== 'repair');
    expect(lines.map(({ action }) => action).sort()).toEqual([...others].sort());
    const told = shop.log.lines.filter(({ event }) => event.startsWith('operator.'));
    expect(told.map(({ event }) => event.slice('operator.'.length)).sort()).toEqual(
      [...others].sort(),
    );
    // Nobody's words and no code is in either.
    const all = JSON.stringify([lines, told]);
    for (const secret of ['private', 'words for one person', ...made]) {
      expect(all).not.toContain(secret);
    }
  });

  test('questions are kept once, belong to the customer, and go with them', async () => {
    const [asker, other] = [await shop.newCustomer(), await shop.newCustomer()];
    const question = { key: 'web:q1', subject: 'question', text: 'Where is it?' } as const;
    for (let i = 0; i < 2; i += 1) await shop.studio.leaveQuestion(asker.id, question);
    await shop.studio.leaveQuestion(other.id, {
      ...question,
      key: 'web:q2',
      text: 'x'.repeat(9_000),
    });
    const desk = office();
    const waiting = await desk.questions(10);
    expect(waiting.map(({ customerCode }) => customerCode)).toEqual([
      asker.customerCode,
      other.customerCode,
    ]);
    expect(waiting[1]!.text).toHaveLength(4_000);
    expect(JSON.stringify(shop.log.lines)).not.toContain('Where is it?');
    await desk.answer(clerk, asker.id, 'Here.', 'a');
    expect(await desk.questions(10)).toHaveLength(1);
    await desk.join(clerk, asker.id, other.id);
    expect((await desk.questions(10))[0]).toMatchObject({ customerCode: asker.customerCode });
    await desk.erase(clerk, asker.id);
    expect(await desk.questions(10)).toEqual([]);
    const { rows } = await sql`select * from questions`.execute(shop.database.raw);
    expect(rows).toEqual([]);
  });

  test('a repeated call is one line, a call that changes nothing none', async () => {
    const { someone, order } = await boughtTen();
    const desk = office();
    const older = await shop.newCustomer();
    for (let i = 0; i < 2; i += 1) {
      await desk.refund(chat, order.id, { key: 'r', reason: 'x', amountMinor: 100 });
      await desk.pauseIntake(chat, true);
      await desk.answer(chat, someone.id, 'hello', 'q1');
      await desk.join(chat, older.id, someone.id);
      await desk.beginBroadcast(chat, 'web', 0, 'b1');
    }
    expect((await linesOf()).map(({ action }) => action).sort()).toEqual(
      ['answer', 'broadcast', 'intake', 'join', 'refund'].sort(),
    );
    expect(await desk.changeJob(clerk, 'retry', 'no such job')).toBe(false);
    await desk.pauseIntake(chat, true);
    expect(await linesOf()).toHaveLength(5);
  });

  test('what is refused leaves no line', async () => {
    const someone = await shop.newCustomer();
    const order = await shop.topUp(someone);
    const desk = office();
    const wish = { key: 'r', reason: 'x' };
    await expect(desk.refund(clerk, order.id, wish)).rejects.toMatchObject({
      code: 'NOT_POSSIBLE_NOW',
    });
    await expect(desk.refund(clerk, 'or_none', wish)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(desk.answer(clerk, 'NOBODY', 'x', 'k')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(desk.createCodes(clerk, { ...codes, count: 0 })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    await expect(desk.resolveQuarantine(clerk, 'none')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await linesOf()).toEqual([]);
  });

  test('what cannot be logged is not done', async () => {
    const { someone, order } = await boughtTen();
    await sql`drop table operator_log`.execute(shop.database.raw);
    const desk = office();
    for (const change of [
      desk.refund(clerk, order.id, { key: 'r', reason: 'x' }),
      desk.pauseIntake(clerk, true),
      desk.createCodes(clerk, codes),
      desk.answer(clerk, someone.id, 'x', 'k'),
    ]) {
      expect(await complaint(change)).toContain('operator_log');
    }
    expect((await desk.order(order.id)).refunds).toEqual([]);
    expect(await shop.credits(someone)).toBe(10);
    expect(await desk.intakePaused()).toBe(false);
    const kept = await sql<{ hash: string }>`select hash from credit_codes`.execute(
      shop.database.raw,
    );
    expect(kept.rows).toEqual([]);
    expect(await shop.store.read.outbox.find('notify:k')).toBeUndefined();
  });

  test('the database refuses to change or delete a line', async () => {
    await office().pauseIntake(clerk, true);
    for (const statement of [`update operator_log set actor = 'x'`, 'delete from operator_log']) {
      expect(await complaint(sql.raw(statement).execute(shop.database.raw))).toContain(
        'append-only',
      );
    }
    expect(await linesOf()).toHaveLength(1);
  });

  test('a database of the version before gets the log when it is opened', async () => {
    const config = await fresh();
    const before = migrations.filter(({ name }) => name < '007');
    const old = openDatabase(config);
    await migrate(old.raw, old.dialect, 1, before);
    await sql`insert into settings (name, value) values ('intake.paused', 'yes')`.execute(old.raw);
    await old.close();
    const store = createStore(await openMigratedDatabase(config, wallClock));
    try {
      const desk = createOperator({ ...shop.context, store });
      expect(await desk.intakePaused()).toBe(true);
      await desk.pauseIntake(clerk, false);
      expect(await desk.log(10)).toMatchObject([{ action: 'intake', details: { paused: false } }]);
    } finally {
      await store.close();
    }
  });
}
