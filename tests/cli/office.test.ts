import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { createIds, hashText } from '../../src/cli/ids.js';
import { createMessages } from '../../src/cli/messages.js';
import { createDatabaseQueue } from '../../src/queue/database-queue.js';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { createStore } from '../../src/storage/store.js';
import { priorities } from '../../src/studio/jobs.js';
import { accounts, transfer } from '../../src/studio/ledger.js';
import { operatorActions } from '../../src/studio/ports/operator.js';
import { runCli } from '../support/cli.js';
import { keepingLogger, wallClock } from '../support/quiet.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-office-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const huancai = (...args: string[]) => runCli(args, { cwd: dir });
const databaseFile = () => path.join(dir, '.data', 'studio.db');

async function give(file = databaseFile()): Promise<void> {
  const database = await openMigratedDatabase({ file }, wallClock);
  const store = createStore(database);
  const deps = { ids: createIds(wallClock), clock: wallClock };
  const gift = { key: 'gift', from: accounts.given(), to: accounts.credits('cu_1'), amount: 5 };
  await store.transaction((tables) => transfer(tables, deps, gift));
  await store.close();
}

test('db: nothing at first, then migrated', async () => {
  const before = await huancai('db', 'status', '--json');
  expect(before.records()).toMatchObject([{ type: 'database', exists: false }]);
  expect((await huancai('db', 'migrate')).code).toBe(0);
  const after = await huancai('db', 'status', '--json');
  expect(after.code).toBe(0);
  expect(after.records()[0]).toMatchObject({ exists: true, missing: 0 });
});

test('ledger audit: right books exit 0, wrong ones show the row and exit 1', async () => {
  await give();
  expect((await huancai('ledger', 'audit')).code).toBe(0);
  const database = await openMigratedDatabase({ file: databaseFile() }, wallClock);
  await sql`update accounts set balance = 6 where id = 'customer:cu_1:credits'`.execute(
    database.raw,
  );
  await database.close();
  const broken = await huancai('ledger', 'audit', '--json');
  expect(broken.code).toBe(1);
  expect(broken.records()).toContainEqual(
    expect.objectContaining({ type: 'finding', subject: 'customer:cu_1:credits', balance: 6 }),
  );
});

test('codes are printed once, one a line, and kept as hashes', async () => {
  const made = await huancai('codes', 'create', '--credits', '5', '--count', '3');
  const codes = made.out.trim().split('\n');
  expect(codes).toHaveLength(3);
  const database = await openMigratedDatabase({ file: databaseFile() }, wallClock);
  const { rows } = await sql<{ hash: string }>`select hash from credit_codes`.execute(database.raw);
  const hashes = codes.map((code) => hashText(`credit:${code.replaceAll('-', '')}`));
  expect(rows.map((row) => row.hash).sort()).toEqual(hashes.sort());
  await database.close();
});

test('what is not there is said plainly', async () => {
  await huancai('db', 'migrate');
  for (const args of [
    ['photo', 'show', 'ph_none'],
    ['orders', 'show', 'or_none'],
    ['refund', 'or_none', '--reason', 'x'],
    ['erase', 'cu_none', '--yes'],
  ]) {
    const { code, err } = await huancai(...args);
    expect({ args, code }).toEqual({ args, code: 1 });
    expect(err).toMatch(/not here|not known/);
  }
  expect((await huancai('erase', 'cu_none')).code).toBe(2);
  expect((await huancai('codes', 'create', '--credits', '0')).code).toBe(2);
}, 180_000);

test('operator log: what the command line changed, by the login, newest first', async () => {
  expect((await huancai('operator', 'log')).out).toContain('No operator has changed anything');
  const [code] = (await huancai('codes', 'create', '--credits', '5')).out.trim().split('\n');
  await noteJob();
  expect((await huancai('jobs', 'cancel', 'stray')).code).toBe(0);
  expect((await huancai('jobs', 'cancel', 'stray')).code).toBe(1);
  const log = await huancai('operator', 'log', '--json');
  const who = { type: 'operatorLog', door: 'cli', actor: os.userInfo().username };
  expect(log.records()).toMatchObject([
    { ...who, action: 'job', subject: 'stray', details: { wanted: 'cancel', key: 'stray' } },
    { ...who, action: 'codes', details: { credits: 5, count: 1 } },
  ]);
  expect(log.out).not.toContain(code);
  const shown = await huancai('operator', 'log', '--lang', 'zh-CN');
  expect(shown.out).toContain('生成兑换码');
  expect((await huancai('operator', 'log', '--limit', '1', '--json')).records()).toHaveLength(1);
});

test('operator questions: who waits for an answer, and how it is given', async () => {
  const nobody = await huancai('operator', 'questions');
  expect({ code: nobody.code, out: nobody.out }).toMatchObject({
    code: 0,
    out: expect.stringContaining('Nobody waits'),
  });
  const database = await openMigratedDatabase({ file: databaseFile() }, wallClock);
  await sql`insert into customers (id, code, language, preset, finishing, created_ms)
    values ('cu_1', 'ABCD2345', 'en', 'auto', '{}', 1)`.execute(database.raw);
  await sql`insert into questions (key, customer_id, subject, text, order_id, created_ms)
    values ('k', 'cu_1', 'refund', 'Please', 'or_1', 2)`.execute(database.raw);
  await database.close();
  const some = await huancai('operator', 'questions');
  expect(some.code).toBe(1);
  expect(some.out).toMatch(/ABCD2345 {2}money back {2}or_1\n {2}Please/);
  expect((await huancai('operator', 'answer', 'abcd2345', 'On', 'its', 'way')).code).toBe(0);
  expect((await huancai('operator', 'questions', '--json')).records()).toEqual([]);
}, 180_000);

test('the code a customer quotes stands for their orders and photos', async () => {
  await huancai('db', 'migrate');
  const database = await openMigratedDatabase({ file: databaseFile() }, wallClock);
  for (const [id, code] of [
    ['cu_1', 'ABCD2345'],
    ['cu_2', 'WXYZ6789'],
  ]) {
    await sql`insert into customers (id, code, language, preset, finishing, created_ms)
      values (${id}, ${code}, 'en', 'auto', '{}', 1)`.execute(database.raw);
    for (const n of [1, 2]) {
      await sql`insert into orders (id, customer_id, state, kind, credits, amount_minor, currency,
          method, chat, pay_token, created_ms, expires_ms, paid_ms, refunded_minor)
        values (${`or_${id}_${n}`}, ${id}, 'paid', 'topup', 1, 990, 'CNY', 'sandbox',
          '{"channel":"web","chatId":"x"}', ${`token-${id}-${n}`}, 1, 2, ${n === 1 ? 2 : null}, 0)`.execute(
        database.raw,
      );
      await sql`insert into photos (id, customer_id, state, key, chat, preset, runs, created_ms,
          updated_ms)
        values (${`ph_${id}_${n}`}, ${id}, 'ready', ${`k${n}`}, '{"channel":"web","chatId":"x"}',
          'auto', 1, 1, 1)`.execute(database.raw);
    }
  }
  await database.close();
  const ids = async (...args: string[]) =>
    (await huancai(...args, '--json')).records().map((one) => one['id']);
  expect(await ids('orders', 'list', '--customer', 'abcd2345')).toEqual(['or_cu_1_2', 'or_cu_1_1']);
  expect(await ids('orders', 'list', '--customer', 'cu_2')).toEqual(['or_cu_2_2', 'or_cu_2_1']);
  expect(await ids('orders', 'show', 'ABCD2345')).toEqual(['or_cu_1_2', 'or_cu_1_1']);
  expect(await ids('photo', 'show', 'wxyz6789')).toEqual(['ph_cu_2_2', 'ph_cu_2_1']);
  expect(await ids('orders', 'show', 'or_cu_2_1')).toEqual(['or_cu_2_1']);
  const nobody = await huancai('orders', 'list', '--customer', 'NOBODY22');
  expect({ code: nobody.code, err: nobody.err }).toMatchObject({
    code: 1,
    err: expect.stringMatching(/not known|not here/),
  });
}, 180_000);

/** A job that nobody takes: no studio is open. */
async function noteJob(): Promise<void> {
  const database = await openMigratedDatabase({ file: databaseFile() }, wallClock);
  const queue = createDatabaseQueue(
    { db: database.raw as never, clock: wallClock, logger: keepingLogger() },
    { dialect: database.dialect },
  );
  await queue.add({
    ...{ name: 'intake', key: 'stray', payload: { photoId: 'ph_none' } },
    ...{ priority: priorities.free, group: 'cu_1' },
  });
  await queue.close();
  await database.close();
}

test.each(['en', 'zh-CN'] as const)('every change has its name in %s', (language) => {
  const messages = createMessages(path.resolve(__dirname, '../../config/messages'));
  for (const action of operatorActions) {
    const key = `office.log.action.${action}`;
    expect(messages.text(key, language)).not.toBe(key);
  }
});
